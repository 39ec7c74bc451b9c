import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";

import type { Connection } from "../backend";
import { FailureNote } from "./FailureNote";

const WORDS: Record<Connection["state"], string> = {
  not_configured: "No source",
  checking: "Checking",
  online: "Online",
  offline: "Offline",
};

/** Whether the source is in reach; why not, on pressing. */
export function ConnectionStatus({ connection }: { connection: Connection }) {
  const trip = connection.state === "online" ? `${connection.round_trip_ms} ms` : "";
  return (
    <DialogTrigger>
      <Button className="connection" data-state={connection.state} data-testid="connection-status">
        <span className="connection-dot" aria-hidden="true" />
        <span role="status">{WORDS[connection.state]}</span>
        {trip !== "" && <span className="faint num">{trip}</span>}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="popover-body" aria-label="Connection">
          {connection.state === "online" && (
            <p>
              The source answers in {trip}. MongoDB {connection.version}.
            </p>
          )}
          {connection.state === "offline" && <FailureNote failure={connection.failure} />}
          {connection.state === "checking" && <p>Asking the source whether it is in reach.</p>}
          {connection.state === "not_configured" && <p>Set up a source to fetch from MongoDB.</p>}
          {connection.state !== "online" && (
            <p className="faint">Cached queries can be opened without the server.</p>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

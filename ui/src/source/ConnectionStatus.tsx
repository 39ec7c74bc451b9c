import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";

import type { Connection, SourceView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { needsPassword } from "./password";
import { PasswordForm } from "./PasswordForm";
import type { Connect } from "./useSource";

interface Props {
  connection: Connection;
  view: SourceView;
  connect: Connect;
}

const WORDS: Record<Connection["state"], string> = {
  not_configured: "No source",
  checking: "Checking",
  unlocking: "Waiting for the keychain",
  online: "Online",
  offline: "Offline",
};

/** Whether the source can be reached; pressing it shows why not. */
export function ConnectionStatus({ connection, view, connect }: Props) {
  const { source } = view;
  const saved = view.sources.find(({ id }) => id === view.in_use);
  const trip = connection.state === "online" ? `${connection.round_trip_ms} ms` : "";
  const locked = needsPassword(connection, source);
  const unverified = connection.state === "online" ? connection.unverified : null;
  const warnings = connection.state === "online" ? connection.warnings : [];
  return (
    <DialogTrigger>
      <Button
        className="connection"
        data-state={connection.state}
        data-locked={locked || undefined}
        data-testid="connection-status"
      >
        <span className="connection-dot" aria-hidden="true" />
        <span role="status">{locked ? "Password needed" : WORDS[connection.state]}</span>
        {unverified !== null && <span data-testid="connection-unverified">not verified</span>}
        {trip !== "" && <span className="faint num">{trip}</span>}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="popover-body" aria-label="Connection">
          {({ close }) => (
            <>
              {connection.state === "online" && (
                <p>
                  The server responds in {trip}. MongoDB {connection.version}.
                </p>
              )}
              {unverified !== null && <p>{unverified}</p>}
              {warnings.map((warning) => (
                <p key={warning}>{warning}</p>
              ))}
              {locked && saved !== undefined && source !== null && (
                <PasswordForm
                  source={saved}
                  name={source.name}
                  hasKeychain={view.has_keychain}
                  connect={connect}
                  close={close}
                />
              )}
              {connection.state === "offline" && !locked && <FailureNote failure={connection.failure} />}
              {connection.state === "unlocking" && (
                <p>The password of this source is in the keychain. Unlock the keychain to go on.</p>
              )}
              {connection.state === "checking" && <p>Checking whether the server can be reached.</p>}
              {connection.state === "not_configured" && <p>Set up a source to fetch from MongoDB.</p>}
              {connection.state !== "online" && (
                <p className="faint">Cached queries can be opened without the server.</p>
              )}
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

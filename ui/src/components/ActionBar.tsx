import { Button, Tooltip, TooltipTrigger } from "react-aria-components";

import type { FetchMode } from "../backend";
import { type Activity, MODE_WORDS } from "../logic/runState";

interface Props {
  activity: Activity;
  /** What the run under way does; null when there is none. */
  mode: FetchMode | null;
  online: boolean;
  /** Why Fetch cannot be pressed; null when it can. */
  blocked: string | null;
  fetch: (mode: FetchMode) => void;
  cancel: () => void;
  showPipeline: () => void;
  canShowPipeline: boolean;
}

const ACTIVITY: Record<Activity, string> = {
  idle: "Idle",
  fetching: "Fetching",
  cancelling: "Cancelling",
  paused: "Paused until the source is back",
};

/** What can be done with the query, and what is going on. */
export function ActionBar(props: Props) {
  const { activity, online, blocked } = props;
  const busy = activity === "fetching" || activity === "cancelling";
  const held = busy || blocked !== null;
  const server = online ? "" : " Needs the server.";
  return (
    <div className="action-bar" role="toolbar" aria-label="Query">
      <Hint text={blocked ?? "Pull what is missing or due (Ctrl+Enter)"}>
        <Button
          className="button primary"
          isDisabled={held}
          onPress={() => props.fetch("normal")}
          data-testid="fetch-button"
        >
          Fetch
        </Button>
      </Hint>
      <Hint text="Stop the run; what is stored is kept (Esc)">
        <Button
          className="button"
          isDisabled={activity !== "fetching"}
          onPress={props.cancel}
          data-testid="cancel-button"
        >
          Cancel
        </Button>
      </Hint>
      <Hint text={`Pull every day of the range again.${server}`}>
        <Button
          className="button"
          isDisabled={held || !online}
          onPress={() => props.fetch("refresh")}
          data-testid="refresh-button"
        >
          Refresh
        </Button>
      </Hint>
      <Hint text={`Check cached days against the server; those that differ are pulled again.${server}`}>
        <Button
          className="button"
          isDisabled={held || !online}
          onPress={() => props.fetch("verify")}
          data-testid="verify-button"
        >
          Verify
        </Button>
      </Hint>
      <span className="bar-gap" />
      <Button
        className="button quiet"
        isDisabled={!props.canShowPipeline}
        onPress={props.showPipeline}
        data-testid="pipeline-button"
      >
        Show pipeline
      </Button>
      <span className="activity" role="status" data-activity={activity} data-testid="activity">
        {activity === "fetching" && props.mode !== null ? MODE_WORDS[props.mode] : ACTIVITY[activity]}
      </span>
    </div>
  );
}

function Hint({ text, children }: { text: string; children: React.ReactElement }) {
  return (
    <TooltipTrigger delay={600}>
      {children}
      <Tooltip className="tooltip" offset={6}>
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}

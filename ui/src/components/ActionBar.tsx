import type { FetchMode } from "../backend";
import { type Activity, MODE_WORDS } from "../logic/runState";
import { HintButton } from "./HintButton";

interface Props {
  activity: Activity;
  /** What the run under way does; null when there is none. */
  mode: FetchMode | null;
  online: boolean;
  /** Why there is nothing to fetch yet; null when there is. */
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
  const held = busy ? "A run is under way." : blocked;
  const away = online ? null : "The source is not in reach.";
  return (
    <div className="action-bar" role="toolbar" aria-label="Query">
      <HintButton
        className="button primary"
        testId="fetch-button"
        hint="Pull what is missing or due (Ctrl+Enter)"
        blocked={held}
        press={() => props.fetch("normal")}
      >
        Fetch
      </HintButton>
      <HintButton
        className="button"
        testId="cancel-button"
        hint="Stop the run; what is stored is kept (Esc)"
        blocked={activity === "fetching" ? null : busy ? "The run is being stopped." : "No run is under way."}
        press={props.cancel}
      >
        Cancel
      </HintButton>
      <HintButton
        className="button"
        testId="refresh-button"
        hint="Pull every day of the range again"
        blocked={held ?? away}
        press={() => props.fetch("refresh")}
      >
        Refresh
      </HintButton>
      <HintButton
        className="button"
        testId="verify-button"
        hint="Check cached days against the server; those that differ are pulled again"
        blocked={held ?? away}
        press={() => props.fetch("verify")}
      >
        Verify
      </HintButton>
      <span className="bar-gap" />
      <HintButton
        className="button quiet"
        testId="pipeline-button"
        hint="The MongoDB pipeline of the query, to read and to copy"
        blocked={props.canShowPipeline ? null : "There is no plan yet."}
        press={props.showPipeline}
      >
        Show pipeline
      </HintButton>
      <span className="activity" role="status" data-activity={activity} data-testid="activity">
        {activity === "fetching" && props.mode !== null ? MODE_WORDS[props.mode] : ACTIVITY[activity]}
      </span>
    </div>
  );
}

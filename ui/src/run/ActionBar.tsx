import type { FetchMode } from "../backend";
import { HintButton } from "../controls/HintButton";
import { keyText } from "../controls/keys";
import { type Activity, MODE_WORDS } from "./runState";

interface Props {
  activity: Activity;
  /** What the current run does; null if there is none. */
  mode: FetchMode | null;
  /** Why the server is not asked, as a clause; null if it answers. */
  away: string | null;
  /** Why nothing can be fetched yet; null if something can. */
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
  paused: "Paused until the server is back",
};

/** The actions on the query, and what is going on. */
export function ActionBar(props: Props) {
  const { activity, blocked } = props;
  const busy = activity === "fetching" || activity === "cancelling";
  const held = busy ? "A fetch is running." : blocked;
  const away = props.away === null ? null : `${props.away.charAt(0).toUpperCase()}${props.away.slice(1)}.`;
  return (
    <div className="action-bar" role="toolbar" aria-label="Query actions">
      <span className="activity" role="status" data-activity={activity} data-testid="activity">
        {activity === "fetching" && props.mode !== null ? MODE_WORDS[props.mode] : ACTIVITY[activity]}
      </span>
      <HintButton
        className="button primary"
        testId="fetch-button"
        hint={`Fetch what is missing or out of date (${keyText("window", "fetch")})`}
        blocked={held}
        press={() => props.fetch("normal")}
      >
        Fetch
      </HintButton>
      <HintButton
        className="button"
        testId="cancel-button"
        hint={`Stop the fetch; everything stored so far stays in the cache (${keyText("window", "cancel")})`}
        blocked={
          activity === "fetching"
            ? null
            : busy
              ? "The fetch is already being cancelled."
              : "No fetch is running."
        }
        press={props.cancel}
      >
        Cancel
      </HintButton>
      <HintButton
        className="button"
        testId="refresh-button"
        hint="Fetch every day in the range again"
        blocked={held ?? away}
        press={() => props.fetch("refresh")}
      >
        Refresh
      </HintButton>
      <HintButton
        className="button"
        testId="verify-button"
        hint="Check cached days against the server; days that differ are fetched again"
        blocked={held ?? away}
        press={() => props.fetch("verify")}
      >
        Verify
      </HintButton>
      <span className="bar-gap" />
      <HintButton
        className="button quiet"
        testId="pipeline-button"
        hint="View or copy the query as a MongoDB pipeline"
        blocked={props.canShowPipeline ? null : "There is no plan yet."}
        press={props.showPipeline}
      >
        Show pipeline
      </HintButton>
    </div>
  );
}

import { useContext } from "react";
import { Button, OverlayTriggerStateContext } from "react-aria-components";

import type { Failure } from "../backend";
import { Icon } from "./icons";
import { LogsButton } from "./LogsButton";
import { NoteLine } from "./NoteLine";
import { RepairContext, repairOf } from "./repair";

interface Props {
  failure: Failure;
  testId?: string;
  /** What the user can do about it here, if not what its target says. */
  action?: { label: string; press: () => void } | undefined;
  dismiss?: (() => void) | undefined;
  /** On one line, to leave room for the rows. */
  compact?: boolean;
}

/** What a report needs: the code, the cause, the run by which the log is searched, and the log itself. */
function Details({ failure: { code, cause, run } }: { failure: Failure }) {
  const text = cause === null || cause === "" ? code : `${code}: ${cause}`;
  return (
    <>
      <code>{run === undefined ? text : `${text} (run ${run})`}</code>
      <LogsButton />
    </>
  );
}

/** The way to the source's form, if the failure is about the source. */
function useRepair(failure: Failure): Props["action"] {
  const open = useContext(RepairContext);
  const popover = useContext(OverlayTriggerStateContext);
  const repair = repairOf(failure);
  if (open === null || repair === null) return undefined;
  const press = () => {
    // A popover that stayed open would cover the form.
    popover?.close();
    open(repair.section);
  };
  return { label: repair.label, press };
}

/** A failure: what happened, what to do next, and the technical details on demand. */
export function FailureNote({ failure, testId = "failure", action: given, dismiss, compact }: Props) {
  const repair = useRepair(failure);
  const action = given ?? repair;
  if (compact === true) {
    return (
      <NoteLine
        kind="bad"
        role="alert"
        testId={testId}
        code={failure.code}
        head={failure.message}
        text={failure.next}
        moreLabel="Details"
        more={<Details failure={failure} />}
      >
        {action && (
          <Button className="button small" onPress={action.press}>
            {action.label}
          </Button>
        )}
      </NoteLine>
    );
  }
  return (
    <div className="note note-bad" role="alert" data-testid={testId} data-code={failure.code}>
      <Icon name="warn" />
      <div className="note-body">
        <strong>{failure.message}</strong> {failure.next !== "" && <span>{failure.next}</span>}
        <details className="note-detail">
          <summary>Technical details</summary>
          <Details failure={failure} />
        </details>
      </div>
      {action && (
        <Button className="button small" onPress={action.press}>
          {action.label}
        </Button>
      )}
      {dismiss && (
        <Button className="icon-button" aria-label="Dismiss" onPress={dismiss}>
          <Icon name="close" size={12} />
        </Button>
      )}
    </div>
  );
}

import { Button } from "react-aria-components";

import type { Failure } from "../backend";
import { Icon } from "./icons";

interface Props {
  failure: Failure;
  testId?: string;
  /** What the trader can do about it right here. */
  action?: { label: string; press: () => void } | undefined;
  dismiss?: (() => void) | undefined;
}

/** A failure as a person meets it: what, what next, and the technical detail for whoever wants it. */
export function FailureNote({ failure, testId = "failure", action, dismiss }: Props) {
  return (
    <div className="note note-bad" role="alert" data-testid={testId} data-code={failure.code}>
      <Icon name="warn" />
      <div className="note-body">
        <strong>{failure.message}</strong> {failure.next !== "" && <span>{failure.next}</span>}
        {failure.cause !== null && failure.cause !== "" && (
          <details className="note-detail">
            <summary>Technical detail</summary>
            <code>
              {failure.code}: {failure.cause}
            </code>
          </details>
        )}
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

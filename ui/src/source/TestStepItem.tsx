import type { StepOutcome } from "../backend";
import { CopyButton } from "../controls/CopyButton";
import { duration } from "../controls/format";
import { Icon, type IconName } from "../controls/icons";
import type { ShownStep } from "./testSteps";

const ICONS: Record<StepOutcome, IconName> = {
  passed: "check",
  warned: "warn",
  failed: "close",
  skipped: "skip",
};

/** How a step ended, for those who do not see its icon. */
const WORDS: Record<StepOutcome, string> = {
  passed: "Passed",
  warned: "Warning",
  failed: "Failed",
  skipped: "Skipped",
};

/** One step of a test. */
export function TestStepItem({ shown: { step, title, result } }: { shown: ShownStep }) {
  return (
    <li className="test-step" data-outcome={result?.outcome ?? "running"} data-testid={`test-step-${step}`}>
      {result === null ? (
        <span className="test-running" aria-hidden="true" />
      ) : (
        <Icon name={ICONS[result.outcome]} />
      )}
      <div className="test-step-body">
        <strong>{title}</strong>{" "}
        <span className="visually-hidden">{result === null ? "Running" : WORDS[result.outcome]}</span>{" "}
        {result !== null && <span>{result.detail}</span>}
        {result?.fix != null && (
          <div className="proposal-fix">
            <code>{result.fix}</code>
            <CopyButton text={result.fix} about={title} quiet testId="test-fix-copy" />
          </div>
        )}
      </div>
      {result !== null && result.outcome !== "skipped" && (
        <span className="faint num">{duration(result.elapsed_ms)}</span>
      )}
    </li>
  );
}

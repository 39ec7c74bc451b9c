import type { PlanView } from "../backend";

interface Props {
  plan: PlanView | null;
  stale: boolean;
  /** The source is there and wants a password. */
  locked: boolean;
  /** What has to be corrected before there can be a plan. */
  correct: string | null;
}

/** What a fetch would do, before it is pressed. */
export function PlanLine({ plan, stale, locked, correct }: Props) {
  if (plan === null) {
    return (
      <p className="plan-line faint" data-testid="plan-sentence" data-stale={stale || undefined}>
        {correct ?? (stale ? "Planning" : "No plan")}
      </p>
    );
  }
  const windows = plan.windows.length;
  return (
    <p className="plan-line" aria-live="polite" data-testid="plan-sentence" data-stale={stale || undefined}>
      <strong>{plan.sentence}</strong>
      {windows > 0 && (
        <span className="faint">
          {" "}
          in {windows} {windows === 1 ? "query" : "queries"}
        </span>
      )}
      {!plan.reachable && (
        <span className="faint">
          {" "}
          · planned from the cache: the source {locked ? "needs a password" : "cannot be reached"}
        </span>
      )}
    </p>
  );
}

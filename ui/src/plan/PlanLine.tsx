import type { PlanView } from "../backend";

interface Props {
  plan: PlanView | null;
  stale: boolean;
  /** Why the server is not asked; null if it answers. */
  away: string | null;
  /** Replaces the plan's own sentence while a run stores its days; null otherwise. */
  progress: string | null;
  /** What has to be corrected before there can be a plan. */
  correct: string | null;
}

/** What a fetch would do. */
export function PlanLine({ plan, stale, away, progress, correct }: Props) {
  if (plan === null) {
    return (
      <p className="plan-line faint" data-testid="plan-sentence" data-stale={stale || undefined}>
        {correct ?? (stale ? "Planning" : "No plan")}
      </p>
    );
  }
  const windows = plan.windows.length;
  return (
    <p
      className="plan-line"
      // A screen reader would read out each stored day.
      aria-live={progress === null ? "polite" : "off"}
      data-testid="plan-sentence"
      data-stale={stale || undefined}
    >
      <strong>{progress ?? plan.sentence}</strong>
      {windows > 0 && progress === null && (
        <span className="faint">
          {" "}
          in {windows} {windows === 1 ? "query" : "queries"}
        </span>
      )}
      {!plan.reachable && (
        <span className="faint" data-testid="plan-away">
          {" "}
          · planned from the cache: {away ?? "the server did not answer"}
        </span>
      )}
    </p>
  );
}

import { type RefObject, useMemo } from "react";

import type { FetchMode, SourceView } from "../backend";
import { withStored, withUnverified } from "../logic/dayStrip";
import type { Place } from "../logic/failures";
import { outcomeText } from "../logic/answerText";
import { type Activity, type DeskState, sameKey } from "../logic/runState";
import type { Exporter } from "../state/useExport";
import type { Planned } from "../state/usePlan";
import type { Target } from "../state/useShapes";
import { ActionBar } from "./ActionBar";
import { AnswerPanel } from "./AnswerPanel";
import { DayStrip } from "./DayStrip";
import { ErrorBoundary } from "./ErrorBoundary";
import { FailureNote } from "./FailureNote";
import { PlanLine } from "./PlanLine";
import { ProgressPanel } from "./ProgressPanel";
import { Results } from "./Results";
import { Welcome } from "./Welcome";

interface Props {
  source: SourceView;
  online: boolean;
  planned: Planned;
  place: Place | null;
  desk: DeskState;
  activity: Activity;
  blocked: string | null;
  target: Target | null;
  foreign: string | null;
  differs: boolean;
  /** The source is there and wants a password. */
  locked: boolean;
  exporter: Exporter;
  exportRef: RefObject<(() => void) | null>;
  fetch: (mode: FetchMode) => void;
  cancel: () => void;
  showPipeline: () => void;
  openSource: () => void;
}

/** What stands in place of a plan, by what is to be corrected. */
const CORRECT: Record<Place, string> = {
  dates: "No plan yet: correct the dates.",
  filters: "No plan yet: correct the filters.",
  advanced: "No plan yet: correct the advanced match.",
  source: "No plan yet: check the source.",
  plan: "No plan",
};

/** What is left of a run that was cancelled, and how to get the rest. */
const CANCELLED: Record<FetchMode, string> = {
  normal: "Everything stored so far stays in the cache; fetch again to get the rest.",
  refresh: "Days that were not reached are unverified; refresh again to update them.",
  verify: "Days that were not reached are unverified; verify again to check them.",
};

/** The plan, what is going on, what is held, and the rows. */
export function MainPane(props: Props) {
  const { source, planned, place, desk, target } = props;
  const { run, view, ending } = desk;
  const zone = source.day_zone;
  // An answer stands over its own rows alone: never over those of other days or another query that arrive.
  const stands = view !== null && (target === null || sameKey(target.key, view.key));
  // Not the run itself, which changes with every bit of progress.
  const isRunning = run !== null;
  const windows = run?.windows ?? null;
  const fetching = run?.key?.signature ?? null;
  const days = useMemo(() => {
    const plan = planned.plan;
    if (plan === null) return [];
    const running = windows !== null && fetching === plan.signature ? windows : [];
    if (running.length > 0) return withStored(plan.days, running, source.today);
    // While a run goes on, what the last one could not confirm is being looked at.
    if (isRunning || view?.key.signature !== plan.signature) return plan.days;
    return withUnverified(plan.days, view.answer.days.unverified);
  }, [planned.plan, isRunning, windows, fetching, view, source.today]);
  const beside =
    planned.failure !== null && (place === "plan" || place === "source") ? planned.failure : null;
  return (
    <main className="main">
      <section className="plan" aria-label="Plan" data-region="plan">
        <PlanLine
          plan={planned.plan}
          stale={planned.stale}
          locked={props.locked}
          correct={place === null ? null : CORRECT[place]}
        />
        {planned.plan && <DayStrip days={days} zone={zone} today={source.today} stale={planned.stale} />}
        {/* Its place is kept, so that the buttons below do not move away from under the mouse. */}
        {planned.plan === null && planned.failure === null && <div className="day-strip-place" />}
        {beside && (
          <FailureNote
            failure={beside}
            testId="plan-failure"
            compact
            action={place === "source" ? { label: "Edit the source", press: props.openSource } : undefined}
          />
        )}
        <ActionBar
          activity={props.activity}
          mode={run?.mode ?? null}
          online={props.online}
          blocked={props.blocked}
          fetch={props.fetch}
          cancel={props.cancel}
          showPipeline={props.showPipeline}
          canShowPipeline={planned.plan !== null}
        />
        {run && <ProgressPanel run={run} />}
        <span className="visually-hidden" role="status" data-testid="outcome">
          {run === null && ending !== null && outcomeText(ending)}
        </span>
        {ending?.outcome === "cancelled" && (
          <div className="note" role="status" data-testid="cancelled-note">
            Cancelled. {CANCELLED[ending.mode]}
          </div>
        )}
        {ending?.outcome === "failed" && ending.failure && (
          <FailureNote failure={ending.failure} testId="run-failure" compact />
        )}
      </section>
      {stands && (
        <AnswerPanel
          view={view}
          zone={zone}
          foreign={props.foreign}
          differs={props.differs && run === null}
          renewing={run !== null && sameKey(run.key, view.key)}
        />
      )}
      {target === null ? (
        <Welcome configured={source.profile !== null} openSource={props.openSource} />
      ) : (
        <ErrorBoundary what="The rows">
          <Results
            target={target}
            zone={zone}
            partial={!target.live && view?.answer.complete === false}
            exporter={props.exporter}
            exportRef={props.exportRef}
          />
        </ErrorBoundary>
      )}
    </main>
  );
}

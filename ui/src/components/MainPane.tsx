import { type RefObject, useLayoutEffect, useMemo, useRef } from "react";

import type { FetchMode, SourceView } from "../backend";
import { daysSentence, withStored, withUnverified } from "../logic/dayStrip";
import type { Place } from "../logic/failures";
import { cancelledText, outcomeText } from "../logic/answerText";
import { describeFilters, NO_FILTER } from "../logic/filters";
import { type Activity, type DeskState, isPrevious, sameKey } from "../logic/runState";
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
  selectRef: RefObject<(() => void) | null>;
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
  const isStoring = windows !== null && windows.length > 0 && fetching === planned.plan?.signature;
  // The query whose rows are shown, in words.
  const asked = target?.live === true && run !== null ? describeFilters(run.query) : view?.title;
  const days = useMemo(() => {
    const plan = planned.plan;
    if (plan === null) return [];
    const running = windows !== null && fetching === plan.signature ? windows : [];
    if (running.length > 0) return withStored(plan.days, running, source.today);
    // While a run goes on, what the last one could not confirm is being looked at.
    if (isRunning || view?.key.signature !== plan.signature) return plan.days;
    return withUnverified(plan.days, view.answer.days.unverified);
  }, [planned.plan, isRunning, windows, fetching, view, source.today]);
  // That no source is set up is said in place of the rows, and is no failure.
  const unset = source.profile === null && planned.failure?.code === "source_unreachable";
  const isBeside = planned.failure !== null && (place === "plan" || place === "source");
  const beside = isBeside && !unset ? planned.failure : null;
  const hasStrip = planned.plan !== null;
  const strip = useRef<HTMLDivElement>(null);
  const stripHeight = useRef(0);
  useLayoutEffect(() => {
    if (strip.current === null) return;
    strip.current.style.minHeight = hasStrip || stripHeight.current === 0 ? "" : `${stripHeight.current}px`;
    if (hasStrip) stripHeight.current = strip.current.offsetHeight;
  }, [hasStrip, isBeside, days]);
  return (
    <main className="main">
      <section className="plan" aria-label="Plan" data-region="plan">
        <PlanLine
          plan={planned.plan}
          stale={planned.stale}
          locked={props.locked}
          progress={isStoring ? daysSentence(days) : null}
          correct={place === null ? null : CORRECT[place]}
        />
        {/* Its place is kept, so that the buttons below do not move away from under the mouse. */}
        {!isBeside && (
          <div ref={strip} className={hasStrip ? undefined : "day-strip-place"} data-testid="strip-place">
            {hasStrip && <DayStrip days={days} zone={zone} today={source.today} stale={planned.stale} />}
          </div>
        )}
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
            Cancelled. {cancelledText(ending)}
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
          differs={props.differs}
          previous={run !== null && isPrevious(view, run)}
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
            filtered={asked !== NO_FILTER}
            exporter={props.exporter}
            exportRef={props.exportRef}
            selectRef={props.selectRef}
          />
        </ErrorBoundary>
      )}
    </main>
  );
}

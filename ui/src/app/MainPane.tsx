import { type ReactNode, type RefObject, useLayoutEffect, useMemo, useRef, useState } from "react";

import { AnswerPanel } from "../answer/AnswerPanel";
import { cancelledText, outcomeText } from "../answer/answerText";
import type { FetchMode, SourceView } from "../backend";
import { DismissibleNote } from "../controls/DismissibleNote";
import { FailureNote } from "../controls/FailureNote";
import { withUnverified } from "../plan/dayCells";
import { PlanLine } from "../plan/PlanLine";
import type { Planned } from "../plan/usePlan";
import type { TargetPart } from "../query/failureTarget";
import { useDaysNarrowing } from "../rows/days";
import { Results, type Trades } from "../rows/Results";
import type { RowsCommands } from "../rows/rowsCommands";
import { TimeLine } from "../rows/timeline/TimeLine";
import type { Exporter } from "../rows/useExport";
import type { Target } from "../rows/useShapes";
import { ActionBar } from "../run/ActionBar";
import { leftText } from "../run/leftRun";
import { ProgressPanel } from "../run/ProgressPanel";
import { type Activity, isPrevious, keyOf, type RunState, sameKey } from "../run/runState";
import { ErrorBoundary } from "./ErrorBoundary";
import { Welcome } from "./Welcome";

/** How the engine words a query without conditions. */
const NO_FILTER = "no filter";

interface Props {
  source: SourceView;
  /** The zone in which points in time are shown. */
  zone: string;
  /** Why the server is not asked; null if it answers. */
  away: string | null;
  planned: Planned;
  failureTarget: TargetPart | null;
  runState: RunState;
  activity: Activity;
  blocked: string | null;
  target: Target | null;
  otherSource: string | null;
  differs: boolean;
  exporter: Exporter;
  exportRef: RefObject<(() => void) | null>;
  rowsRef: RefObject<RowsCommands | null>;
  fetch: (mode: FetchMode) => void;
  cancel: () => void;
  dismissLeft: () => void;
  showPipeline: () => void;
  openSource: () => void;
  trySample: () => Promise<void>;
  openCached: () => void;
  openGuide: () => void;
  setRange: (from: string, to: string) => void;
  copy: (text: string) => void;
  /** The query on one line; null while its form is shown. */
  chips: ReactNode;
  /** The details of the plan and the answer are shown. */
  detailsOpen: boolean;
  toggleDetails: () => void;
  /** What is to be read before anything else. */
  notes: ReactNode;
}

/** Shown instead of a plan, by what has to be corrected. */
const CORRECT: Record<TargetPart, string> = {
  dates: "No plan yet: correct the dates.",
  filters: "No plan yet: correct the filters.",
  advanced: "No plan yet: correct the advanced match.",
  source: "No plan yet: check the source.",
  plan: "No plan",
};

/** The plan, the run, the answer and the rows. */
export function MainPane(props: Props) {
  const { source, zone, planned, failureTarget, runState, target } = props;
  const { run, view, ending, left } = runState;
  const [trades, setTrades] = useState<Trades | null>(null);
  const narrowing = useDaysNarrowing(target?.key.signature ?? "");
  // An answer is shown above its own rows only, never above arriving rows of other days or of a different query.
  const stands = view !== null && (target === null || sameKey(target.key, view.key));
  // Not `run` itself, which changes with every progress event.
  const isRunning = run !== null;
  const planKey = planned.plan && planned.query && keyOf(planned.query, planned.plan.signature);
  const livePlan = run !== null && run.key?.signature === planKey?.signature ? run.livePlan : null;
  // The sentence counts the days of the run: a plan of other days keeps its own.
  const progress = livePlan !== null && sameKey(run?.key ?? null, planKey) ? livePlan.sentence : null;
  // The filters of the rows that are shown, in words.
  const filters = target?.live === true && run !== null ? run.filters : view?.answer.filters;
  const days = useMemo(() => {
    const plan = planned.plan;
    if (plan === null) return [];
    if (livePlan !== null) return plan.days.map((day) => livePlan.days.get(day.day) ?? day);
    // During a run, the days that the last one could not confirm are being checked.
    if (isRunning || view?.key.signature !== plan.signature) return plan.days;
    return withUnverified(plan.days, view.answer.days.unverified);
  }, [planned.plan, isRunning, livePlan, view]);
  // A source that is not set up is no failure: the pane says so where the rows would be.
  const unset = source.profile === null && planned.failure?.code === "source_unreachable";
  const isBeside = planned.failure !== null && (failureTarget === "plan" || failureTarget === "source");
  const beside = isBeside && !unset ? planned.failure : null;
  const hasStrip = planned.plan !== null;
  const strip = useRef<HTMLDivElement>(null);
  const stripHeight = useRef(0);
  useLayoutEffect(() => {
    if (strip.current === null) return;
    strip.current.style.minHeight = hasStrip || stripHeight.current === 0 ? "" : `${stripHeight.current}px`;
    if (hasStrip) stripHeight.current = strip.current.offsetHeight;
  }, [hasStrip, isBeside, days]);
  const plan = (
    <PlanLine
      plan={planned.plan}
      stale={planned.stale}
      away={props.away}
      progress={progress}
      correct={failureTarget === null ? null : CORRECT[failureTarget]}
    />
  );
  return (
    <main className="main">
      {props.notes}
      <section className="plan" aria-label="Plan" data-region="plan">
        <div className="query-line">
          {props.chips}
          <ActionBar
            activity={props.activity}
            mode={run?.mode ?? null}
            away={props.away}
            blocked={props.blocked}
            fetch={props.fetch}
            cancel={props.cancel}
            showPipeline={props.showPipeline}
            canShowPipeline={planned.plan !== null}
          />
        </div>
        {/* Its height is kept, so that what is below does not move away from under the mouse. */}
        {!isBeside && (
          <div ref={strip} className={hasStrip ? undefined : "time-line-place"} data-testid="strip-place">
            {hasStrip && (
              <TimeLine
                days={days}
                zone={zone}
                dayZone={source.day_zone}
                today={source.today}
                stale={planned.stale}
                trades={trades?.key.signature === planned.plan?.signature ? trades : null}
                narrowing={narrowing}
                setRange={props.setRange}
                copy={props.copy}
              />
            )}
          </div>
        )}
        {beside && <FailureNote failure={beside} testId="plan-failure" compact />}
        {!stands && plan}
        {run && <ProgressPanel run={run} />}
        <span className="visually-hidden" role="status" data-testid="outcome">
          {run === null && ending !== null && outcomeText(ending)}
        </span>
        {left !== null && (
          <DismissibleNote text={leftText(left)} testId="left-note" dismiss={props.dismissLeft} />
        )}
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
          otherSource={props.otherSource}
          differs={props.differs}
          previous={run !== null && isPrevious(view, run)}
          renewing={run !== null && sameKey(run.key, view.key)}
          plan={plan}
          isOpen={props.detailsOpen}
          toggle={props.toggleDetails}
        />
      )}
      {target === null ? (
        <Welcome
          source={source}
          planned={planned}
          openSource={props.openSource}
          trySample={props.trySample}
          openCached={props.openCached}
          openGuide={props.openGuide}
        />
      ) : (
        <ErrorBoundary what="The rows">
          <Results
            target={target}
            zone={zone}
            source={props.otherSource ?? source.in_use ?? ""}
            dayZone={source.day_zone}
            partial={!target.live && view?.answer.complete === false}
            filtered={filters !== NO_FILTER}
            exporter={props.exporter}
            days={narrowing}
            onTrades={setTrades}
            exportRef={props.exportRef}
            rowsRef={props.rowsRef}
          />
        </ErrorBoundary>
      )}
    </main>
  );
}

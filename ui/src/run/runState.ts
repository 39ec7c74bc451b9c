// What is going on (a run), separate from what is cached (an answer).

import type {
  Answer,
  Connection,
  Day,
  DayView,
  Failure,
  FetchMode,
  QueryInput,
  RunEvent,
  ViewKey,
} from "../backend";
import { sameQuery } from "../query/filters";
import { endedRun, type Left, leftRun } from "./leftRun";

export interface Progress {
  rows: number;
  expectedRows: number | null;
  daysDone: number;
  daysTotal: number;
  rowsPerSecond: number;
  remainingMs: number | null;
  downstreamRows: number;
  tradesAsked: number;
  tradesDone: number;
}

/** The plan of a run as far as it has been carried out. */
export interface LivePlan {
  /** The days that were stored. */
  days: ReadonlyMap<Day, DayView>;
  sentence: string;
}

export interface Run {
  id: number;
  query: QueryInput;
  mode: FetchMode;
  /** Where the rows will be, once a plan has given the signature. */
  key: ViewKey | null;
  /** The key of the source that it queries. */
  source: string;
  /** The user has opened something else meanwhile, which its rows must not replace. */
  background: boolean;
  cancelling: boolean;
  planned: boolean;
  /** The filters in words; null until the plan is made. */
  filters: string | null;
  progress: Progress;
  /** How often rows have been stored; a grid that shows them reads again when this grows. */
  stored: number;
  /** Null until days have been stored. */
  livePlan: LivePlan | null;
}

/** An answer, and the query it belongs to. */
export interface View {
  key: ViewKey;
  query: QueryInput | null;
  answer: Answer;
  /** How it was fetched; null if it was opened from the cache. */
  mode: FetchMode | null;
}

/** How the last run ended. */
export interface Ending {
  query: QueryInput;
  key: ViewKey | null;
  mode: FetchMode;
  source: string;
  outcome: "finished" | "failed" | "cancelled";
  failure: Failure | null;
  /** What it brought; null if it brought nothing. */
  answer: Answer | null;
  /** It has stored days. */
  stored: boolean;
  /** It lacks days or has days that are due, because the source was out of reach: it can resume with the source. */
  awaitsSource: boolean;
  /** How often it has resumed by itself. */
  resumed: number;
  /** The user has opened something else, which it must not replace when it resumes. */
  background: boolean;
}

export interface RunState {
  run: Run | null;
  view: View | null;
  ending: Ending | null;
  /** Grows whenever rows may have changed behind the view. */
  version: number;
  /** How often the query of the current run has resumed by itself. */
  resumed: number;
  /** What became of the run of the source that was left; null if there was none or it has been read. */
  left: Left | null;
}

export const IDLE: RunState = { run: null, view: null, ending: null, version: 0, resumed: 0, left: null };

export type RunAction =
  | {
      type: "started";
      id: number;
      query: QueryInput;
      mode: FetchMode;
      key: ViewKey | null;
      source: string;
      resumed: number;
      background: boolean;
    }
  | { type: "event"; id: number; event: RunEvent }
  | { type: "cancelling"; id: number }
  | { type: "ended"; id: number; outcome: Ending["outcome"]; view: View | null; failure: Failure | null }
  | { type: "opened"; view: View }
  /** The answer of a view has been read again. */
  | { type: "reread"; key: ViewKey; answer: Answer }
  | { type: "closed"; signature: string }
  /** A different source is active: nothing here belongs to it. `name` is that of the source before. */
  | { type: "left"; name: string }
  /** What became of the run of the source before has been read. */
  | { type: "left_read" };

const NO_PROGRESS: Progress = {
  rows: 0,
  expectedRows: null,
  daysDone: 0,
  daysTotal: 0,
  rowsPerSecond: 0,
  remainingMs: null,
  downstreamRows: 0,
  tradesAsked: 0,
  tradesDone: 0,
};

export function runReducer(state: RunState, action: RunAction): RunState {
  switch (action.type) {
    case "started":
      return {
        ...state,
        run: {
          id: action.id,
          query: action.query,
          mode: action.mode,
          key: action.key,
          source: action.source,
          background: action.background,
          cancelling: false,
          planned: false,
          filters: null,
          progress: NO_PROGRESS,
          stored: 0,
          livePlan: null,
        },
        ending: null,
        resumed: action.resumed,
        left: null,
      };
    case "event":
      // An event of a run that has ended must not affect the next one.
      return state.run?.id === action.id ? { ...state, run: withEvent(state.run, action.event) } : state;
    case "cancelling":
      return state.run?.id === action.id ? { ...state, run: { ...state.run, cancelling: true } } : state;
    case "ended": {
      if (state.left?.id === action.id)
        return { ...state, left: endedRun(state.left, action.outcome, action.view?.answer ?? null) };
      if (state.run?.id !== action.id) return state;
      const { query, mode, key, source, background, livePlan } = state.run;
      const ending: Ending = {
        query,
        key: action.view?.key ?? key,
        mode,
        source,
        outcome: action.outcome,
        failure: action.failure,
        answer: action.view?.answer ?? null,
        stored: livePlan !== null,
        awaitsSource: awaitsSource(action.outcome, mode, action.view?.answer ?? null, action.failure),
        resumed: state.resumed,
        background,
      };
      const isShown = !background || sameKey(action.view?.key ?? null, state.view?.key ?? null);
      return {
        ...state,
        run: null,
        view: isShown ? (action.view ?? state.view) : state.view,
        ending,
        version: state.version + 1,
      };
    }
    case "opened": {
      // Whoever opens the rows that are being fetched wants to see them arrive.
      const background = !sameKey(state.run?.key ?? null, action.view.key);
      const run = state.run === null ? null : { ...state.run, background };
      return { ...state, run, view: action.view, ending: null, version: state.version + 1 };
    }
    case "reread":
      return state.view !== null && sameKey(state.view.key, action.key)
        ? { ...state, view: { ...state.view, answer: action.answer } }
        : state;
    case "closed":
      return state.view?.key.signature === action.signature ? { ...state, view: null, ending: null } : state;
    case "left": {
      // Without a run, that of a source before may still be unread.
      const left = state.run === null ? state.left : leftRun(state.run, action.name);
      return { ...IDLE, version: state.version + 1, left };
    }
    case "left_read":
      return { ...state, left: null };
  }
}

/** A plan after more days have been stored. A day that is stored again is as it was stored last. */
function withStored(plan: LivePlan | null, days: readonly DayView[], sentence: string): LivePlan {
  const stored = days.map((day): [Day, DayView] => [day.day, day]);
  return { days: new Map([...(plan?.days ?? []), ...stored]), sentence };
}

function withEvent(run: Run, event: RunEvent): Run {
  switch (event.event) {
    case "planned":
      return {
        ...run,
        planned: true,
        filters: event.filters,
        // From the run's own plan: the form may have been planned in a different state, or not yet.
        key: keyOf(run.query, event.signature),
        stored: run.stored + (event.days_cached > 0 ? 1 : 0),
        progress: { ...run.progress, expectedRows: event.expected_rows, daysTotal: event.days_to_pull },
      };
    case "chunk_stored":
      return {
        ...run,
        stored: run.stored + 1,
        livePlan: withStored(run.livePlan, event.days, event.sentence),
      };
    case "progress":
      return {
        ...run,
        planned: true,
        progress: {
          ...run.progress,
          rows: event.rows,
          expectedRows: event.expected_rows,
          daysDone: event.days_done,
          daysTotal: event.days_total,
          rowsPerSecond: event.rows_per_second,
          remainingMs: event.remaining_ms,
          // If every window is fetched again, the engine counts from zero and reports no messages until it
          // asks for some: the old numbers would be shown beside no trades.
          ...(event.rows === 0 ? { downstreamRows: 0, tradesAsked: 0, tradesDone: 0 } : {}),
        },
      };
    case "downstream_progress":
      return {
        ...run,
        progress: {
          ...run.progress,
          downstreamRows: event.rows,
          tradesAsked: event.trades_asked,
          tradesDone: event.trades_done,
        },
      };
    // The promise of the fetch ends the run, with the same answer; it settles last.
    case "finished":
    case "failed":
    case "cancelled":
      return run;
  }
}

/**
 * How a run that brought an answer ended. The event that reports a cancel may come after the answer, so the answer's
 * own failure counts as well.
 */
export function outcomeOf(answer: Answer, cancelReported: boolean): "finished" | "cancelled" {
  return cancelReported || answer.failure?.code === "cancelled" ? "cancelled" : "finished";
}

function awaitsSource(
  outcome: Ending["outcome"],
  mode: FetchMode,
  answer: Answer | null,
  failure: Failure | null,
): boolean {
  // What the user stopped must not resume by itself.
  if (outcome === "cancelled") return false;
  const code = failure?.code ?? answer?.failure?.code;
  // Nothing was cached, and the source was not asked.
  if (outcome === "failed") return code === "source_unreachable" || code === "not_cached";
  if (answer === null) return false;
  // A server that took too long to answer is not out of reach.
  const away = code === "source_unreachable" || (code === undefined && answer.answer === "offline");
  // All days may be cached and some still due: open days, and those that were to be fetched or checked again.
  const due = !answer.complete || answer.days.open.length > 0 || mode !== "normal";
  return away && due;
}

/** A query resumes by itself at most this often, so that an unstable source is not flooded with requests. */
export const MAX_RESUMES = 3;

/** Whether the last run waits for its source to come back. */
function waits(ending: Ending | null): boolean {
  return ending !== null && ending.awaitsSource && ending.resumed < MAX_RESUMES;
}

/** Whether the last run should resume by itself, now that the connection of a source has changed. */
export function shouldResume(state: RunState, source: string, before: Connection, now: Connection): boolean {
  if (now.state !== "online" || before.state === "online" || state.run !== null) return false;
  return waits(state.ending) && state.ending?.source === source;
}

/** An answer read from the cache without asking the server: while the source is online, that is not `offline`. */
export function heldAnswer<A extends Answer | null>(answer: A, online: boolean): A {
  return answer?.answer === "offline" && online ? { ...answer, answer: "cache" } : answer;
}

/** An answer that was opened from the cache: the server was not meant to be asked, whether it answers or not. */
export function openedAnswer(answer: Answer): Answer {
  return heldAnswer(answer, true);
}

/** The rows of a query with this signature. */
export function keyOf({ from, to }: QueryInput, signature: string): ViewKey {
  return { signature, from, to };
}

/** Whether two keys name the same rows. */
export function sameKey(a: ViewKey | null, b: ViewKey | null): boolean {
  return a !== null && b !== null && a.signature === b.signature && a.from === b.from && a.to === b.to;
}

/** Whether a view is older than a run of a different query. One that was opened during the run is not. */
export function isPrevious(view: View, run: Run): boolean {
  if (run.background) return false;
  if (run.key !== null) return !sameKey(run.key, view.key);
  return view.query === null || !sameQuery(run.query, view.query);
}

/** The share of a run that is done, 0 to 1; null if that is unknown. */
export function fraction(progress: Progress): number | null {
  const { rows, expectedRows, daysDone, daysTotal } = progress;
  const byDays = daysTotal > 0 ? daysDone / daysTotal : null;
  // The expected rows are an estimate: never show the end before the last day is in.
  const byRows =
    expectedRows !== null && expectedRows > 0 ? Math.min(rows / expectedRows, byDays === 1 ? 1 : 0.99) : null;
  if (byRows === null) return byDays;
  return Math.max(byRows, byDays ?? 0);
}

export const MODE_WORDS: Record<FetchMode, string> = {
  normal: "Fetching",
  refresh: "Refreshing",
  verify: "Verifying",
};

/** What a run is doing now. A verification first asks the server, and then may fetch days. */
export function runWords(run: Run): string {
  if (run.cancelling) return "Cancelling";
  if (run.mode !== "verify") return MODE_WORDS[run.mode];
  if (!run.planned) return "Checking cached days against the server";
  return run.progress.daysTotal > 0
    ? "Verifying: fetching days that differ or are missing"
    : MODE_WORDS.verify;
}

export type Activity = "idle" | "fetching" | "cancelling" | "paused";

/** What is going on. */
export function activity(state: RunState, connection: Connection): Activity {
  if (state.run !== null) return state.run.cancelling ? "cancelling" : "fetching";
  return waits(state.ending) && connection.state !== "online" ? "paused" : "idle";
}

// What is going on (a run), apart from what is held (an answer).

import type {
  Answer,
  Connection,
  Failure,
  FetchMode,
  QueryInput,
  RunEvent,
  ViewKey,
  WindowView,
} from "../backend";
import { sameQuery } from "./filters";

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

export interface Run {
  id: number;
  query: QueryInput;
  mode: FetchMode;
  /** Where the rows will be, once a plan has told the signature. */
  key: ViewKey | null;
  /** The source that it asks. */
  source: string;
  /** The trader has turned to something else meanwhile: its rows are not to push that away. */
  aside: boolean;
  cancelling: boolean;
  planned: boolean;
  progress: Progress;
  /** Times that rows were stored; a grid that shows them reads again when this grows. */
  stored: number;
  /** The days that were stored. */
  windows: WindowView[];
}

/** An answer, and the question it belongs to. */
export interface View {
  key: ViewKey;
  query: QueryInput | null;
  title: string;
  answer: Answer;
  /** The source that it is held of, as a person reads it. */
  source: string;
  /** How it was asked for; null where it was opened from the cache. */
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
  /** What it brought; null where it brought nothing. */
  answer: Answer | null;
  /** It has stored days. */
  stored: boolean;
  /** It lacks days, or holds what is due, because the source was out of reach: it can go on when that is back. */
  awaitsSource: boolean;
  /** Times that it has gone on by itself already. */
  resumed: number;
  /** The trader has turned to something else: it goes on without pushing that away. */
  aside: boolean;
}

export interface DeskState {
  run: Run | null;
  view: View | null;
  ending: Ending | null;
  /** Grows whenever rows may have changed behind the view. */
  version: number;
  /** Times that the query of the run under way has gone on by itself. */
  resumed: number;
}

export const IDLE: DeskState = { run: null, view: null, ending: null, version: 0, resumed: 0 };

export type DeskAction =
  | {
      type: "started";
      id: number;
      query: QueryInput;
      mode: FetchMode;
      key: ViewKey | null;
      source: string;
      resumed: number;
      aside: boolean;
    }
  | { type: "told"; id: number; event: RunEvent }
  | { type: "cancelling"; id: number }
  | { type: "ended"; id: number; outcome: Ending["outcome"]; view: View | null; failure: Failure | null }
  | { type: "opened"; view: View }
  /** What a view holds was read again. */
  | { type: "reread"; key: ViewKey; answer: Answer }
  | { type: "closed"; signature: string }
  /** Another source is in use: what stands here is not of it. */
  | { type: "left" };

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

export function deskReducer(state: DeskState, action: DeskAction): DeskState {
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
          aside: action.aside,
          cancelling: false,
          planned: false,
          progress: NO_PROGRESS,
          stored: 0,
          windows: [],
        },
        ending: null,
        resumed: action.resumed,
      };
    case "told":
      // An event of a run that is over must not stir the one that followed it.
      return state.run?.id === action.id ? { ...state, run: tell(state.run, action.event) } : state;
    case "cancelling":
      return state.run?.id === action.id ? { ...state, run: { ...state.run, cancelling: true } } : state;
    case "ended": {
      if (state.run?.id !== action.id) return state;
      const { query, mode, key, source, aside, windows } = state.run;
      const ending: Ending = {
        query,
        key: action.view?.key ?? key,
        mode,
        source,
        outcome: action.outcome,
        failure: action.failure,
        answer: action.view?.answer ?? null,
        stored: windows.length > 0,
        awaitsSource: awaitsSource(action.outcome, mode, action.view?.answer ?? null, action.failure),
        resumed: state.resumed,
        aside,
      };
      const isShown = !aside || sameKey(action.view?.key ?? null, state.view?.key ?? null);
      return {
        ...state,
        run: null,
        view: isShown ? (action.view ?? state.view) : state.view,
        ending,
        version: state.version + 1,
      };
    }
    case "opened": {
      // Who turns to the very rows that are being fetched wants to see them come.
      const aside = !sameKey(state.run?.key ?? null, action.view.key);
      const run = state.run === null ? null : { ...state.run, aside };
      return { ...state, run, view: action.view, ending: null, version: state.version + 1 };
    }
    case "reread":
      return state.view !== null && sameKey(state.view.key, action.key)
        ? { ...state, view: { ...state.view, answer: action.answer } }
        : state;
    case "closed":
      return state.view?.key.signature === action.signature ? { ...state, view: null, ending: null } : state;
    case "left":
      return { ...IDLE, version: state.version + 1 };
  }
}

function tell(run: Run, event: RunEvent): Run {
  switch (event.event) {
    case "planned":
      return {
        ...run,
        planned: true,
        // The plan's own word: the form may have been planned in another state, or not yet.
        key: { signature: event.signature, from: run.query.from, to: run.query.to },
        stored: run.stored + (event.days_cached > 0 ? 1 : 0),
        progress: { ...run.progress, expectedRows: event.expected_rows, daysTotal: event.days_to_pull },
      };
    case "chunk_stored":
      return {
        ...run,
        stored: run.stored + 1,
        windows: [...run.windows, { from: event.from, to: event.to }],
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
          // asks for some: the old figures would stand beside no trades.
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
    // The promise of the fetch tells the end, with the same answer; it comes last.
    case "finished":
    case "failed":
    case "cancelled":
      return run;
  }
}

/**
 * How a run that brought an answer ended. The event that tells of a cancel may come after the answer, so
 * the answer's own word counts as well.
 */
export function outcomeOf(answer: Answer, toldCancelled: boolean): "finished" | "cancelled" {
  return toldCancelled || answer.failure?.code === "cancelled" ? "cancelled" : "finished";
}

function awaitsSource(
  outcome: Ending["outcome"],
  mode: FetchMode,
  answer: Answer | null,
  failure: Failure | null,
): boolean {
  // What the trader stopped must not start again by itself.
  if (outcome === "cancelled") return false;
  const code = failure?.code ?? answer?.failure?.code;
  // Nothing of it was cached, and the source was not asked.
  if (outcome === "failed") return code === "source_unreachable" || code === "not_cached";
  if (answer === null) return false;
  // A server that was asked and took too long is there.
  const away = code === "source_unreachable" || (code === undefined && answer.answer === "offline");
  // All days may be held, and some of them due: those that are open, and those that were to be asked for anew.
  const due = !answer.complete || answer.days.open.length > 0 || mode !== "normal";
  return away && due;
}

/** A query goes on by itself at most this often, so that a source that comes and goes is not hammered. */
export const MAX_RESUMES = 3;

/** Whether the last run waits for its source to come back. */
function waits(ending: Ending | null): boolean {
  return ending !== null && ending.awaitsSource && ending.resumed < MAX_RESUMES;
}

/** Whether the last run should go on by itself, now that the connection of a source has changed. */
export function shouldResume(state: DeskState, source: string, before: Connection, now: Connection): boolean {
  if (now.state !== "online" || before.state === "online" || state.run !== null) return false;
  return waits(state.ending) && state.ending?.source === source;
}

/** Whether two keys name the same rows. */
export function sameKey(a: ViewKey | null, b: ViewKey | null): boolean {
  return a !== null && b !== null && a.signature === b.signature && a.from === b.from && a.to === b.to;
}

/** Whether a view was there before a run of a different query: what is opened during the run is not left over. */
export function isPrevious(view: View, run: Run): boolean {
  if (run.aside) return false;
  if (run.key !== null) return !sameKey(run.key, view.key);
  return view.query === null || !sameQuery(run.query, view.query);
}

/** The share of a run that is done, 0 to 1; null where that cannot be told. */
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

/** What a run is doing now. A verification first asks the server, and then may pull days. */
export function runWords(run: Run): string {
  if (run.cancelling) return "Cancelling";
  if (run.mode !== "verify") return MODE_WORDS[run.mode];
  if (!run.planned) return "Checking cached days against the server";
  return run.progress.daysTotal > 0
    ? "Verifying: fetching days that differ or are missing"
    : MODE_WORDS.verify;
}

export type Activity = "idle" | "fetching" | "cancelling" | "paused";

/** What is going on, beside what is held. */
export function activity(state: DeskState, connection: Connection): Activity {
  if (state.run !== null) return state.run.cancelling ? "cancelling" : "fetching";
  return waits(state.ending) && connection.state !== "online" ? "paused" : "idle";
}

import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";

import {
  type Failure,
  type RowQuery,
  type Sort,
  type SqlResult,
  toFailure,
  type ViewKey,
} from "../../backend";
import { useBackend } from "../../backend/context";
import { useStored } from "../../controls/useStored";
import { asked } from "../asked";
import { type ColumnPrefs, NO_PREFS } from "../grid/columns";
import { remembered } from "./sqlText";

/** What was typed for a source. */
interface Typed {
  text: string;
  /** The statements that were run, the last one first. */
  history: string[];
}

const FIRST: Typed = { text: "select *\nfrom trades\nlimit 100", history: [] };

/** The rows that `trades` and `messages` have: those that are shown. */
export interface SqlRows {
  key: ViewKey;
  stamp: string;
  narrowed: RowQuery[];
}

/** A result, and of what it is. */
export interface Ran {
  result: SqlResult;
  rows: SqlRows;
  text: string;
}

/** How a result is shown. */
export interface Shown {
  sorts: Sort[];
  prefs: ColumnPrefs;
}

const AS_IT_IS: Shown = { sorts: [], prefs: NO_PREFS };

export interface Sql extends Typed {
  setText: (text: string) => void;
  /** When the statement began that is running; null if none is. */
  since: number | null;
  ran: Ran | null;
  shown: Shown;
  show: (part: Partial<Shown>) => void;
  /** What became of the last statement, if it failed, and its text. */
  failed: { failure: Failure; text: string } | null;
  /** Grows when the text is asked for by key. What shows the tab otherwise leaves the focus where it is. */
  asks: number;
  wantsFocusRef: RefObject<boolean>;
  ask: () => void;
  run: () => void;
  cancel: () => void;
  dismiss: () => void;
}

/** The SQL of a source, and its last result. It stays while other tabs are shown. */
export function useSql(source: string, rows: SqlRows | null): Sql {
  const backend = useBackend();
  const [stored, store] = useStored<Record<string, Typed>>("tidemark.sql", {});
  const typed = stored[source] ?? FIRST;
  const [since, setSince] = useState<number | null>(null);
  const [ran, setRan] = useState<Ran | null>(null);
  const [shown, setShown] = useState(AS_IT_IS);
  const [failed, setFailed] = useState<Sql["failed"]>(null);
  const [asks, setAsks] = useState(0);
  const wantsFocusRef = useRef(false);
  const ask = useCallback(() => {
    wantsFocusRef.current = true;
    setAsks((before) => before + 1);
  }, []);
  const running = useRef<AbortController | null>(null);
  const of = rows === null ? "" : [rows.key.signature, rows.key.from, rows.key.to].join("|");

  const held = useRef<Ran | null>(null);
  const hold = useCallback(
    (next: Ran | null) => {
      const before = held.current;
      held.current = next;
      setRan(next);
      if (before !== null) void backend.closeSql(before.rows.key, before.result.id).catch(() => undefined);
    },
    [backend],
  );
  const stop = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setSince(null);
  }, []);
  // A result belongs to the answer that it was read from.
  useEffect(
    () => () => {
      stop();
      hold(null);
      setFailed(null);
    },
    [of, stop, hold],
  );

  const keep = useCallback(
    (part: Partial<Typed>) => store({ ...stored, [source]: { ...typed, ...part } }),
    [store, stored, source, typed],
  );
  const run = useCallback(() => {
    const { text } = typed;
    if (rows === null || text.trim() === "" || running.current !== null) return;
    const { signal } = (running.current = new AbortController());
    setSince(Date.now());
    setFailed(null);
    keep({ history: remembered(typed.history, text) });
    asked(backend, signal, (id) => backend.runSql(rows.key, rows.narrowed, text, id)).then(
      (result) => {
        // It came before it could be cancelled.
        if (signal.aborted) return void backend.closeSql(rows.key, result.id).catch(() => undefined);
        running.current = null;
        setSince(null);
        // The same statement again is shown as before.
        if (held.current?.text !== text) setShown(AS_IT_IS);
        hold({ result, rows, text });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        running.current = null;
        setSince(null);
        setFailed({ failure: toFailure(error), text });
      },
    );
  }, [backend, rows, typed, keep, hold]);
  return useMemo(
    () => ({
      ...typed,
      setText: (text: string) => keep({ text }),
      since,
      ran,
      shown,
      show: (part: Partial<Shown>) => setShown((before) => ({ ...before, ...part })),
      failed,
      asks,
      wantsFocusRef,
      ask,
      run,
      cancel: stop,
      dismiss: () => setFailed(null),
    }),
    [typed, keep, since, ran, shown, failed, asks, ask, run, stop],
  );
}

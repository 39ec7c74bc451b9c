import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useReducer, useRef } from "react";

import {
  type Answer,
  type Backend,
  type CachedQuery,
  type Connection,
  type Failure,
  type FetchMode,
  type QueryInput,
  type RunEvent,
  toFailure,
  type ViewKey,
} from "../backend";
import { useBackend } from "../backend/context";
import { CACHED_KEY } from "../backend/queryKeys";
import {
  type Ending,
  heldAnswer,
  IDLE,
  keyOf,
  openedAnswer,
  outcomeOf,
  runReducer,
  type RunState,
  sameKey,
  shouldResume,
  type View,
} from "./runState";

// Ids are unique across reloads of the page too, since the backend outlives them.
let lastRun = Date.now();

/** Events are batched for this long before the window is redrawn. */
const DRAW_MS = 80;

export interface QueryRun {
  state: RunState;
  start: (query: QueryInput, mode: FetchMode, signature: string | null) => void;
  cancel: () => void;
  /** Opens what is cached of a query; false if something else was requested meanwhile. */
  open: (cached: CachedQuery) => Promise<boolean>;
  /** Shows what is cached of the last session's query, unless something has been requested since. */
  restore: (query: QueryInput, signature: string) => void;
  close: (signature: string) => void;
  /** What became of the run of the source before has been read. */
  dismissLeft: () => void;
}

function viewOf(query: QueryInput, mode: FetchMode | null, answer: Answer): View {
  const key = keyOf(query, answer.signature);
  return { key, query, answer, mode };
}

interface Outcome {
  outcome: Ending["outcome"];
  answer: Answer | null;
  failure: Failure | null;
}

/** Runs a fetch, and says how it ended. */
async function runToEnd(
  backend: Backend,
  id: number,
  query: QueryInput,
  mode: FetchMode,
  key: ViewKey | null,
  online: () => boolean,
  onEvent: (event: RunEvent) => void,
): Promise<Outcome> {
  let cancelled = false;
  let planned = key;
  try {
    const answer = await backend.fetch(id, query, mode, (event) => {
      if (event.event === "cancelled") cancelled = true;
      if (event.event === "planned") planned = keyOf(query, event.signature);
      onEvent(event);
    });
    return { outcome: outcomeOf(answer, cancelled), answer, failure: null };
  } catch (error) {
    const failure = toFailure(error);
    // What was committed before the failure stays cached, so it is shown.
    const held = planned === null ? null : await backend.answer(planned).catch(() => null);
    const anything = held !== null && held.days.missing.length < held.days.requested;
    const answer = anything ? heldAnswer(held, online()) : null;
    if (failure.code === "cancelled") return { outcome: "cancelled", answer, failure: null };
    return { outcome: "failed", answer, failure };
  }
}

/**
 * The current run, and the answer on the screen. `sourceKey` is that of the active source, or "", and `sourceName` what
 * it is called.
 */
export function useQueryRun(connection: Connection, sourceKey: string, sourceName: string): QueryRun {
  const backend = useBackend();
  const [state, dispatch] = useReducer(runReducer, IDLE);
  const running = useRef<number | null>(null);
  /** Grows with every request, so that only the last one is shown. */
  const asked = useRef(0);
  const online = useRef(false);

  const client = useQueryClient();
  useEffect(() => {
    // Nothing has changed yet at the start, and the list is being read for the first time.
    if (state.version > 0) void client.invalidateQueries({ queryKey: CACHED_KEY });
  }, [client, state.version]);

  const shown = useRef<View | null>(null);
  useEffect(() => {
    shown.current = state.view;
  }, [state.view]);

  /** A fetch may have changed other days of the same query too: reads the answer on the screen again. */
  const rereadOther = useCallback(
    (fetched: ViewKey | null) => {
      const view = shown.current;
      if (view === null || view.key.signature !== fetched?.signature || sameKey(view.key, fetched)) return;
      backend.answer(view.key).then(
        (answer) => dispatch({ type: "reread", key: view.key, answer: heldAnswer(answer, online.current) }),
        // The answer stays as it was; reading its rows shows what is wrong.
        () => undefined,
      );
    },
    [backend],
  );

  const begin = useCallback(
    (query: QueryInput, mode: FetchMode, signature: string | null, resumed: number, background: boolean) => {
      if (running.current !== null) return;
      lastRun += 1;
      asked.current += 1;
      const id = lastRun;
      running.current = id;
      const key = signature === null ? null : keyOf(query, signature);
      dispatch({ type: "started", id, query, mode, key, source: sourceKey, resumed, background });
      let waiting: RunEvent[] = [];
      let timer: ReturnType<typeof setTimeout> | null = null;
      const flush = () => {
        timer = null;
        const events = waiting;
        waiting = [];
        events.forEach((event) => dispatch({ type: "event", id, event }));
      };
      const onEvent = (event: RunEvent) => {
        waiting.push(event);
        timer ??= setTimeout(flush, DRAW_MS);
      };
      void runToEnd(backend, id, query, mode, key, () => online.current, onEvent).then(
        ({ outcome, answer, failure }) => {
          if (timer !== null) clearTimeout(timer);
          if (running.current === id) running.current = null;
          const view = answer === null ? null : viewOf(query, mode, answer);
          dispatch({ type: "ended", id, outcome, view, failure });
          rereadOther(view?.key ?? null);
        },
      );
    },
    [backend, sourceKey, rereadOther],
  );

  const start = useCallback(
    (query: QueryInput, mode: FetchMode, signature: string | null) => begin(query, mode, signature, 0, false),
    [begin],
  );

  const cancel = useCallback(() => {
    const id = running.current;
    if (id === null) return;
    dispatch({ type: "cancelling", id });
    // A run that has already ended cannot be cancelled; there is nothing to report.
    void backend.cancel(id).catch(() => undefined);
  }, [backend]);

  const open = useCallback(
    async (cached: CachedQuery) => {
      const from = cached.held[0]?.from;
      const to = cached.held.at(-1)?.to;
      if (from === undefined || to === undefined) return false;
      asked.current += 1;
      const mine = asked.current;
      const key = { signature: cached.signature, from, to };
      let answer: Answer;
      try {
        answer = await backend.answer(key);
      } catch (error) {
        // Not reported if something else has been requested meanwhile.
        if (mine !== asked.current) return false;
        throw error;
      }
      if (mine !== asked.current) return false;
      const query = cached.form === null ? null : { ...cached.form, from, to };
      const held = openedAnswer(answer);
      const view = { key, query, answer: held, mode: null };
      dispatch({ type: "opened", view });
      return true;
    },
    [backend],
  );

  const restore = useCallback(
    (query: QueryInput, signature: string) => {
      if (asked.current > 0) return;
      backend.answer(keyOf(query, signature)).then(
        (answer) => {
          if (asked.current > 0 || answer.days.missing.length === answer.days.requested) return;
          const held = openedAnswer(answer);
          dispatch({ type: "opened", view: viewOf(query, null, held) });
        },
        // The window starts empty then, as if nothing were cached.
        () => undefined,
      );
    },
    [backend],
  );

  const close = useCallback((signature: string) => dispatch({ type: "closed", signature }), []);

  const before = useRef(connection);
  const used = useRef({ key: sourceKey, name: sourceName });
  const dismissLeft = useCallback(() => dispatch({ type: "left_read" }), []);
  useEffect(() => {
    const was = before.current;
    before.current = connection;
    online.current = connection.state === "online";
    const { key: usedKey, name } = used.current;
    used.current = { key: sourceKey, name: sourceName };
    if (usedKey !== sourceKey) {
      asked.current += 1;
      if (running.current !== null) void backend.cancel(running.current).catch(() => undefined);
      running.current = null;
      dispatch({ type: "left", name });
      return;
    }
    if (!shouldResume(state, sourceKey, was, connection) || state.ending === null) return;
    const { query, key, mode, resumed, background } = state.ending;
    begin(query, mode, key?.signature ?? null, resumed + 1, background);
  }, [backend, connection, sourceKey, sourceName, state, begin]);

  return { state, start, cancel, open, restore, close, dismissLeft };
}

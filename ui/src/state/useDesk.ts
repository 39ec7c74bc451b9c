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
import { describeFilters } from "../logic/filters";
import {
  type DeskState,
  deskReducer,
  type Ending,
  IDLE,
  outcomeOf,
  shouldResume,
  type View,
} from "../logic/runState";
import { useBackend } from "./backendContext";

// Ids are unique over reloads of the page too, for the backend outlives them.
let lastRun = Date.now();

/** Events are gathered this long before the window is drawn again. */
const DRAW_MS = 80;

export interface Desk {
  state: DeskState;
  start: (query: QueryInput, mode: FetchMode, signature: string | null) => void;
  cancel: () => void;
  open: (cached: CachedQuery) => Promise<void>;
  close: (signature: string) => void;
}

function viewOf(query: QueryInput, answer: Answer): View {
  const key = { signature: answer.signature, from: query.from, to: query.to };
  return { key, query, title: describeFilters(query), answer };
}

interface Outcome {
  outcome: Ending["outcome"];
  answer: Answer | null;
  failure: Failure | null;
}

/** Runs a fetch to its end, whatever end that is. */
async function runToEnd(
  backend: Backend,
  id: number,
  query: QueryInput,
  mode: FetchMode,
  key: ViewKey | null,
  told: (event: RunEvent) => void,
): Promise<Outcome> {
  let cancelled = false;
  try {
    const answer = await backend.fetch(id, query, mode, (event) => {
      if (event.event === "cancelled") cancelled = true;
      told(event);
    });
    return { outcome: outcomeOf(answer, cancelled), answer, failure: null };
  } catch (error) {
    const failure = toFailure(error);
    // What was committed before the end is kept, so it is shown.
    const held = key === null ? null : await backend.answer(key).catch(() => null);
    const anything = held !== null && held.days.missing.length < held.days.requested;
    const answer = anything ? held : null;
    if (failure.code === "cancelled") return { outcome: "cancelled", answer, failure: null };
    return { outcome: "failed", answer, failure };
  }
}

/** Runs, and the answer on the screen. */
export function useDesk(connection: Connection): Desk {
  const backend = useBackend();
  const [state, dispatch] = useReducer(deskReducer, IDLE);
  const running = useRef<number | null>(null);

  const begin = useCallback(
    (query: QueryInput, mode: FetchMode, signature: string | null, resumed: number) => {
      if (running.current !== null) return;
      lastRun += 1;
      const id = lastRun;
      running.current = id;
      const key = signature === null ? null : { signature, from: query.from, to: query.to };
      dispatch({ type: "started", id, query, mode, key, resumed });
      let waiting: RunEvent[] = [];
      let timer: ReturnType<typeof setTimeout> | null = null;
      const flush = () => {
        timer = null;
        const events = waiting;
        waiting = [];
        events.forEach((event) => dispatch({ type: "told", id, event }));
      };
      const told = (event: RunEvent) => {
        waiting.push(event);
        timer ??= setTimeout(flush, DRAW_MS);
      };
      void runToEnd(backend, id, query, mode, key, told).then(({ outcome, answer, failure }) => {
        if (timer !== null) clearTimeout(timer);
        running.current = null;
        const view = answer === null ? null : viewOf(query, answer);
        dispatch({ type: "ended", id, outcome, view, failure });
      });
    },
    [backend],
  );

  const start = useCallback(
    (query: QueryInput, mode: FetchMode, signature: string | null) => begin(query, mode, signature, 0),
    [begin],
  );

  const cancel = useCallback(() => {
    const id = running.current;
    if (id === null) return;
    dispatch({ type: "cancelling", id });
    // A run that is over already cannot be cancelled; there is nothing to tell then.
    void backend.cancel(id).catch(() => undefined);
  }, [backend]);

  const open = useCallback(
    async (cached: CachedQuery) => {
      const from = cached.held[0]?.from;
      const to = cached.held.at(-1)?.to;
      if (from === undefined || to === undefined) return;
      const key = { signature: cached.signature, from, to };
      const answer = await backend.answer(key);
      const query = cached.form === null ? null : { ...cached.form, from, to };
      dispatch({ type: "opened", view: { key, query, title: cached.filters, answer } });
    },
    [backend],
  );

  const close = useCallback((signature: string) => dispatch({ type: "closed", signature }), []);

  const before = useRef(connection);
  useEffect(() => {
    const was = before.current;
    before.current = connection;
    if (!shouldResume(state, was, connection) || state.ending === null) return;
    const { query, key, mode, resumed } = state.ending;
    begin(query, mode, key?.signature ?? null, resumed + 1);
  }, [connection, state, begin]);

  return { state, start, cancel, open, close };
}

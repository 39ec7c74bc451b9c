import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { CachedQuery } from "../backend";
import { readStored } from "../controls/useStored";

/** How long a forgotten query can be brought back. */
export const UNDO_MS = 8000;

const KEY = "tidemark.forgetting";

/** A query that is being forgotten, and the state in which it was. */
type Stored = Pick<CachedQuery, "signature" | "newest_fetch">;

export interface Forgetting {
  /** The queries that are forgotten and can still be brought back. */
  forgotten: ReadonlySet<string>;
  forget: (query: CachedQuery) => void;
  undo: (signature: string) => void;
  /** Forgets for good what waits; null if nothing does. */
  flush: () => Promise<void> | null;
}

function store(waiting: Iterable<Stored>): void {
  const list = [...waiting].map(({ signature, newest_fetch }) => ({ signature, newest_fetch }));
  try {
    if (list.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Without a store, only leaving in these seconds would bring a query back.
  }
}

/**
 * Forgets cached queries after a while in which that can be undone: the engine cannot bring days back. Leaving the app
 * carries it out, at the latest when it starts again.
 */
export function useForgetting(
  queries: readonly CachedQuery[] | null,
  forgetNow: (signature: string) => Promise<void>,
  failed: (error: unknown) => void,
): Forgetting {
  const [waiting, setWaiting] = useState<ReadonlyMap<string, CachedQuery>>(new Map());
  const held = useRef(new Map<string, CachedQuery>());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const latest = useRef({ forgetNow, failed });
  useEffect(() => {
    latest.current = { forgetNow, failed };
  });

  const change = useCallback((by: (now: Map<string, CachedQuery>) => void) => {
    by(held.current);
    store(held.current.values());
    setWaiting(new Map(held.current));
  }, []);
  const undo = useCallback(
    (signature: string) => {
      clearTimeout(timers.current.get(signature));
      timers.current.delete(signature);
      change((now) => now.delete(signature));
    },
    [change],
  );
  const carryOut = useCallback(
    async (signature: string) => {
      clearTimeout(timers.current.get(signature));
      timers.current.delete(signature);
      try {
        await latest.current.forgetNow(signature);
      } catch (error) {
        latest.current.failed(error);
      } finally {
        // Only now, so that it does not come back in the list for a moment.
        change((now) => now.delete(signature));
      }
    },
    [change],
  );
  const forget = useCallback(
    (query: CachedQuery) => {
      const { signature } = query;
      change((now) => now.set(signature, query));
      timers.current.set(
        signature,
        setTimeout(() => void carryOut(signature), UNDO_MS),
      );
    },
    [change, carryOut],
  );
  const flush = useCallback(() => {
    const all = [...timers.current.keys()];
    return all.length === 0 ? null : Promise.all(all.map(carryOut)).then(() => undefined);
  }, [carryOut]);

  useEffect(() => {
    const leave = () => void flush();
    window.addEventListener("pagehide", leave);
    return () => window.removeEventListener("pagehide", leave);
  }, [flush]);

  // What the last session could not carry out, unless the query has been fetched again since.
  const left = useRef<Stored[] | null>(null);
  useEffect(() => {
    left.current ??= readStored<Stored[]>(KEY, []);
    if (queries === null || left.current.length === 0) return;
    const due = left.current;
    left.current = [];
    const same = (one: Stored) =>
      queries.some((it) => it.signature === one.signature && it.newest_fetch === one.newest_fetch);
    store(held.current.values());
    due.filter(same).forEach(({ signature }) => void carryOut(signature));
  }, [queries, carryOut]);

  const forgotten = useMemo(() => new Set(waiting.keys()), [waiting]);
  return { forgotten, forget, undo, flush };
}

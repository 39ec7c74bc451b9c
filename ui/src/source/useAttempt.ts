import { useCallback, useEffect, useRef, useState } from "react";

import { type Failure, toFailure } from "../backend";

/** Asks the backend for something that may take long. Aborting the signal stops it. */
export type Ask<T> = (signal: AbortSignal) => Promise<T>;

export interface Attempt {
  busy: boolean;
  failure: Failure | null;
  /** Does nothing while an earlier attempt goes on. */
  start: <T>(ask: Ask<T>, done: (found: T) => void) => void;
  /** Stops the attempt. If it is too late for that, it ends as usual. */
  stop: () => void;
  /** Resolves when no attempt goes on. */
  idle: () => Promise<void>;
}

/** Something that a form attempts, one at a time. Closing the form stops it. */
export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const attempt = useRef<AbortController | null>(null);
  const ended = useRef(Promise.resolve());
  const stop = useCallback(() => attempt.current?.abort(), []);
  const idle = useCallback(() => ended.current, []);
  useEffect(() => stop, [stop]);

  const start = useCallback(<T>(ask: Ask<T>, done: (found: T) => void) => {
    if (attempt.current !== null) return;
    const mine = new AbortController();
    attempt.current = mine;
    setBusy(true);
    setFailure(null);
    ended.current = ask(mine.signal)
      .then(done, (error: unknown) => {
        if (!mine.signal.aborted) setFailure(toFailure(error));
      })
      .finally(() => {
        attempt.current = null;
        setBusy(false);
      });
  }, []);
  return { busy, failure, start, stop, idle };
}

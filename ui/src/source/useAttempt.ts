import { useEffect, useRef, useState } from "react";

import { type Failure, type SourceProfile, toFailure } from "../backend";

/** Reaches a source in some way. Aborting the signal stops it. */
export type Ask<T> = (profile: SourceProfile, password: string | null, signal: AbortSignal) => Promise<T>;

export interface Attempt {
  busy: boolean;
  failure: Failure | null;
  start: (profile: SourceProfile, password: string) => void;
}

/** Reaches a source from a form. Closing the form aborts the attempt. */
export function useAttempt<T>(ask: Ask<T>, done: (found: T) => void): Attempt {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const attempt = useRef<AbortController | null>(null);
  useEffect(() => () => attempt.current?.abort(), []);

  const start = (profile: SourceProfile, password: string) => {
    if (busy) return;
    const mine = new AbortController();
    attempt.current = mine;
    setBusy(true);
    setFailure(null);
    ask(profile, password === "" ? null : password, mine.signal)
      .then(done, (error: unknown) => {
        if (!mine.signal.aborted) setFailure(toFailure(error));
      })
      .finally(() => setBusy(false));
  };
  return { busy, failure, start };
}

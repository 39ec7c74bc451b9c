import { useEffect, useRef, useState } from "react";

import { type Failure, type SourceProfile, toFailure } from "../backend";
import type { Connect } from "./useSource";

export interface Connecting {
  busy: boolean;
  failure: Failure | null;
  start: (profile: SourceProfile, password: string) => void;
}

/** Connects from a form. Closing the form aborts the attempt. */
export function useConnecting(connect: Connect, done: () => void): Connecting {
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
    connect(profile, password === "" ? null : password, mine.signal)
      .then(done, (error: unknown) => {
        if (!mine.signal.aborted) setFailure(toFailure(error));
      })
      .finally(() => setBusy(false));
  };
  return { busy, failure, start };
}

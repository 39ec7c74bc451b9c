import { useState } from "react";

import { type Failure, toFailure } from "../backend";

/** Adds the sample desk and uses it, by the function that is given. */
export function useSample(trySample: () => Promise<void>): {
  busy: boolean;
  failure: Failure | null;
  start: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const start = () => {
    if (busy) return;
    setBusy(true);
    setFailure(null);
    trySample()
      .catch((error: unknown) => setFailure(toFailure(error)))
      .finally(() => setBusy(false));
  };
  return { busy, failure, start };
}

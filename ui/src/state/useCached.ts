import { useCallback, useEffect, useState } from "react";

import { type CachedQuery, type Failure, toFailure } from "../backend";
import { useBackend } from "./backendContext";

export interface Cached {
  queries: CachedQuery[] | null;
  failure: Failure | null;
  reload: () => void;
}

/** The list of cached queries, read again whenever `version` changes. */
export function useCached(version: number): Cached {
  const backend = useBackend();
  const [queries, setQueries] = useState<CachedQuery[] | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [asked, setAsked] = useState(0);

  useEffect(() => {
    let live = true;
    backend.cachedQueries().then(
      (found) => {
        if (!live) return;
        setQueries(found);
        setFailure(null);
      },
      (error: unknown) => live && setFailure(toFailure(error)),
    );
    return () => {
      live = false;
    };
  }, [backend, version, asked]);

  return { queries, failure, reload: useCallback(() => setAsked((count) => count + 1), []) };
}

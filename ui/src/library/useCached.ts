import { useCallback, useEffect, useState } from "react";

import { type CachedQuery, type CacheUsage, type Failure, toFailure } from "../backend";
import { useBackend } from "../backend/context";

export interface Cached {
  queries: CachedQuery[] | null;
  /** Null until it is known. */
  usage: CacheUsage | null;
  failure: Failure | null;
  reload: () => void;
}

/** The list of cached queries and the space they use, read again whenever `version` changes. */
export function useCached(version: number): Cached {
  const backend = useBackend();
  const [queries, setQueries] = useState<CachedQuery[] | null>(null);
  const [usage, setUsage] = useState<CacheUsage | null>(null);
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
    // The list is useful without it: then the footer shows no sizes.
    backend.cacheUsage().then(
      (found) => live && setUsage(found),
      () => live && setUsage(null),
    );
    return () => {
      live = false;
    };
  }, [backend, version, asked]);

  return { queries, usage, failure, reload: useCallback(() => setAsked((count) => count + 1), []) };
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { type CachedQuery, type CacheUsage, type Failure, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { CACHED_KEY } from "../backend/queryKeys";

export interface Cached {
  queries: CachedQuery[] | null;
  /** Null until it is known. */
  usage: CacheUsage | null;
  failure: Failure | null;
  reload: () => void;
}

/** The list of cached queries and the space they use. */
export function useCached(): Cached {
  const backend = useBackend();
  const client = useQueryClient();
  // `null` from the start: while there is no data at all, react-query drops a failure as soon as it reads again, and
  // the button that was pressed for that would lose the focus.
  const list = useQuery<CachedQuery[] | null>({
    queryKey: [...CACHED_KEY, "queries"],
    queryFn: () => backend.cachedQueries(),
    initialData: null,
  });
  // The list is useful without it: then the footer shows no sizes.
  const usage = useQuery<CacheUsage | null>({
    queryKey: [...CACHED_KEY, "usage"],
    queryFn: () => backend.cacheUsage(),
    initialData: null,
  });
  const reload = useCallback(() => void client.invalidateQueries({ queryKey: CACHED_KEY }), [client]);
  return {
    queries: list.data,
    usage: usage.isError ? null : usage.data,
    failure: list.isError ? toFailure(list.error) : null,
    reload,
  };
}

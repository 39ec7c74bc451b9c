import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import { type CachedQuery, type OpenRequest, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { CACHED_KEY, SOURCE_KEY } from "../backend/queryKeys";

const NOT_CACHED = "The query that was asked for is not in the cache of this computer.";

/** Follows what the command line asks to be shown. Returns what of it could not be followed. */
export function useOpenRequest(open: (query: CachedQuery) => Promise<void>): {
  problem: string | null;
  dismiss: () => void;
} {
  const backend = useBackend();
  const client = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const follow = useEffectEvent(async (request: OpenRequest | null) => {
    if (request === null) return;
    setProblem(request.problem);
    if (request.signature === null) return;
    // Read again: a query that was fetched elsewhere may not be in the list yet.
    const cached = await backend.cachedQueries();
    client.setQueryData([...CACHED_KEY, "queries"], cached);
    const query = cached.find(({ signature }) => signature === request.signature);
    if (query === undefined) setProblem(request.problem ?? NOT_CACHED);
    else await open(query);
  });
  useEffect(() => {
    const ask = async () => {
      try {
        await follow(await backend.openRequest());
      } catch (error) {
        const { message, next } = toFailure(error);
        setProblem(`${message} ${next}`.trim());
      }
    };
    void ask();
    return backend.onOpenRequest(() => {
      // A further start of the program may have put a different source to use.
      void client.invalidateQueries({ queryKey: SOURCE_KEY }).then(ask);
    });
  }, [backend, client]);
  return { problem, dismiss: () => setProblem(null) };
}

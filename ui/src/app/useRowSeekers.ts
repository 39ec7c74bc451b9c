import { useCallback, useMemo, useState } from "react";

import { type CachedQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { useToast } from "../controls/toasts";
import type { RowSeeker, Sought } from "../rows/soughtRow";

/** Shows the row of a document, in the query that has it. `open` is the answer that is shown. */
export function useRowSeekers(
  open: ViewKey | null,
  openCached: (query: CachedQuery) => Promise<void>,
): RowSeeker {
  const backend = useBackend();
  const say = useToast();
  const [sought, setSought] = useState<RowSeeker["sought"]>(null);
  const seek = useCallback(
    (wanted: Sought) => {
      const { signature, day } = wanted;
      const isHere = open?.signature === signature && (day === null || (open.from <= day && day <= open.to));
      const show = async () => {
        if (!isHere) {
          const query = (await backend.cachedQueries()).find((one) => one.signature === signature);
          if (query === undefined) return say("The query is no longer in the cache");
          await openCached(query);
        }
        setSought((before) => ({ ...wanted, ask: (before?.ask ?? 0) + 1 }));
      };
      show().catch((error: unknown) => say(toFailure(error)));
    },
    [backend, say, open, openCached],
  );
  return useMemo(() => ({ sought, seek }), [sought, seek]);
}

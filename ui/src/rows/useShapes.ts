import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { type Failure, toFailure, type ViewKey, type ViewShape } from "../backend";
import { useBackend } from "../backend/context";

/** The rows to show: of which query and days, and as of when. */
export interface Target {
  key: ViewKey;
  /** Changes whenever the rows behind the key may have changed. */
  stamp: string;
  /** Rows are still arriving. */
  live: boolean;
}

export interface Shapes {
  key: ViewKey;
  stamp: string;
  input: ViewShape;
  downstream: ViewShape;
}

/** While rows arrive, the grid reads again at most this often. */
const LIVE_MS = 1200;

/** The same if a page turns out to be of a later state. */
const AGAIN_MS = 250;

export interface HeldShapes {
  shapes: Shapes | null;
  failure: Failure | null;
  /** Reads columns and counts again, and then the rows. */
  reload: () => void;
}

/** Columns and counts of both roles of a target. */
export function useShapes({ key, stamp, live }: Target): HeldShapes {
  const backend = useBackend();
  const client = useQueryClient();
  const { signature, from, to } = key;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { data, error, refetch } = useQuery<Shapes | null>({
    queryKey: ["shapes", signature, from, to],
    queryFn: async ({ queryKey }) => {
      try {
        const [input, downstream] = await Promise.all([
          backend.viewShape(key, "input"),
          backend.viewShape(key, "downstream"),
        ]);
        // A reload changes the stamp, so that the grid reads its rows again.
        return { key, stamp: `${stamp}/${Date.now()}`, input, downstream };
      } catch (error) {
        // During a run the file may be missing or busy: the next chunk reads again.
        if (live) return client.getQueryData<Shapes>(queryKey) ?? null;
        throw error;
      }
    },
    // Not stale-while-revalidate: the stamp says when to read, below.
    enabled: false,
    initialData: null,
    initialDataUpdatedAt: 0,
    gcTime: 0,
  });

  /** Reads, but not sooner than this after the last time. */
  const readAfter = useCallback(
    (pause: number) => {
      clearTimeout(timer.current);
      const last = client.getQueryState(["shapes", signature, from, to])?.dataUpdatedAt ?? 0;
      timer.current = setTimeout(() => void refetch(), Math.max(0, last + pause - Date.now()));
    },
    [client, refetch, signature, from, to],
  );
  useEffect(() => {
    readAfter(live ? LIVE_MS : 0);
    return () => clearTimeout(timer.current);
  }, [readAfter, stamp, live]);
  const reload = useCallback(() => readAfter(AGAIN_MS), [readAfter]);
  return { shapes: data, failure: error === null ? null : toFailure(error), reload };
}

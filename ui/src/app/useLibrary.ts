import { type Dispatch, useCallback, useReducer } from "react";

import { type CachedQuery, type SourceView, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { useToast } from "../controls/toasts";
import { useCached, type Cached } from "../library/useCached";
import { type Forgetting, useForgetting } from "../library/useForgetting";
import { type Names, useNames } from "../library/useNames";
import type { FormAction } from "../query/useForm";
import type { QueryRun } from "../run/useQueryRun";

export interface Library {
  cached: Cached;
  /** Grows when something has been removed from the cache that a plan may rely on. */
  removals: number;
  forgetting: Forgetting;
  names: Names;
  rename: (signature: string, name: string) => void;
  pin: (item: CachedQuery, pinned: boolean) => Promise<void>;
  setBudget: (bytes: number) => Promise<void>;
}

/** The cached queries, and what changes them. `close` is called with the signature of a query that was removed. */
export function useLibrary(close: (signature: string) => void): Library {
  const backend = useBackend();
  const say = useToast();
  const [removals, countRemoval] = useReducer((count: number) => count + 1, 0);
  const cached = useCached();
  const { reload } = cached;
  const removed = useCallback(() => {
    countRemoval();
    reload();
  }, [reload]);
  const forgetNow = useCallback(
    async (signature: string) => {
      await backend.forget(signature, null, null);
      close(signature);
      removed();
    },
    [backend, close, removed],
  );
  const failed = useCallback((error: unknown) => say(toFailure(error)), [say]);
  const forgetting = useForgetting(cached.queries, forgetNow, failed);
  const [names, rename] = useNames();
  const pin = async (item: CachedQuery, pinned: boolean) => {
    await backend.pinQuery(item.signature, pinned);
    reload();
  };
  const setBudget = async (bytes: number) => {
    try {
      await backend.setCacheBudget(bytes);
    } finally {
      // Some queries may have been evicted before it failed.
      removed();
    }
  };
  return { cached, removals, forgetting, names, rename, pin, setBudget };
}

/** Opens the answer of a cached query, and fills the form with it if it is of the source in use. */
export function useOpenCached(
  open: QueryRun["open"],
  dismiss: () => void,
  dispatch: Dispatch<FormAction>,
  { fields, source }: SourceView,
): (item: CachedQuery) => Promise<void> {
  return useCallback(
    async (item: CachedQuery) => {
      dismiss();
      // The filters of a different source have other meanings here, and what was typed would be lost.
      const isOfSource = source === null || source.name === item.source;
      if ((await open(item)) && item.form && isOfSource) {
        dispatch({ type: "load", query: item.form, fields });
      }
    },
    [open, dismiss, dispatch, fields, source],
  );
}

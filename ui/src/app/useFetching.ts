import type { Dispatch } from "react";

import type { FetchMode } from "../backend";
import { useToast } from "../controls/toasts";
import type { Forgetting } from "../library/useForgetting";
import type { Planned } from "../plan/usePlan";
import { commitDrafts, type FormState, sameQuery, toQuery } from "../query/filters";
import type { FormAction } from "../query/useForm";
import type { QueryRun } from "../run/useQueryRun";

interface From {
  form: FormState;
  dispatch: Dispatch<FormAction>;
  planned: Planned;
  queryRun: QueryRun;
  /** Why nothing can be fetched; null if it can. */
  blocked: string | null;
  /** Why the server is not asked; null if it answers. */
  away: string | null;
  /** Takes away what is left of the last export. */
  dismiss: () => void;
  /** Forgets what can still be undone. */
  flush: Forgetting["flush"];
}

export interface Fetching {
  fetch: (mode: FetchMode) => void;
  /** The same, for a command without a button: a toast says why it cannot run. */
  refetch: (mode: FetchMode) => void;
}

/** Fetches what the form asks for. */
export function useFetching(from: From): Fetching {
  const { form, dispatch, planned, queryRun, blocked, away, dismiss, flush } = from;
  const say = useToast();
  const fetch = (mode: FetchMode) => {
    if (blocked !== null) return;
    // Includes what is still being typed: leaving it out would fetch more than the form shows.
    const full = toQuery(commitDrafts(form));
    dispatch({ type: "commit_all" });
    const known = !planned.stale && planned.query !== null && sameQuery(planned.query, full);
    dismiss();
    // If there is no plan yet, the run reports the signature with its own plan.
    const start = () => queryRun.start(full, mode, known ? (planned.plan?.signature ?? null) : null);
    // Days that are forgotten must not be served from the cache, only because that can still be undone.
    const pending = flush();
    if (pending === null) start();
    else void pending.then(start);
  };
  const refetch = (mode: FetchMode) => {
    const why = queryRun.state.run !== null ? "a fetch is running" : away;
    if (why === null && blocked === null) fetch(mode);
    else say(`Nothing was fetched: ${why ?? blocked}`);
  };
  return { fetch, refetch };
}

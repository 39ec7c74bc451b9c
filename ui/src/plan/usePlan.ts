import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";

import { type Failure, type PlanView, type QueryInput, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { PLAN_KEY } from "../backend/queryKeys";
import { pause } from "../controls/pause";
import { rangeProblem } from "../query/days";

export interface Planned {
  plan: PlanView | null;
  failure: Failure | null;
  /** The plan belongs to an earlier form; the new one is on its way. */
  stale: boolean;
  /** The query that the plan or the failure belongs to. */
  query: QueryInput | null;
}

/** How long typing has to pause before a plan is requested. */
const PAUSE_MS = 250;

/** An open day becomes due over time, so a plan with one is made again this often. */
export const AGE_MS = 30_000;

/** A failure is a result like any other: it is shown until the next one, where react-query would drop an error. */
type PlanResult = Omit<Planned, "stale">;

const NO_RESULT: PlanResult = { plan: null, failure: null, query: null };

function rangeFailure(problem: string): Failure {
  const target = { field: "dates" as const };
  return { code: "bad_range", message: problem, next: "Correct the dates.", cause: null, target };
}

/**
 * The plan of the current form for the source in use, of which `source` is the id. `stamp` changes whenever something other than the form may have changed the plan:
 * the connection, the day, the contents of the cache. A plan also ages: it is made again when the window gets the
 * focus and while one of its days is open; the old plan is shown meanwhile. It is not made again during a run
 * (`quiet`), which updates the days itself.
 */
export function usePlan(query: QueryInput, source: string, stamp: string, quiet: boolean): Planned {
  const backend = useBackend();
  const typed = useRef("");
  const problem = rangeProblem(query.from, query.to);
  const { data, isPlaceholderData } = useQuery({
    queryKey: [...PLAN_KEY, source, stamp, query],
    queryFn: async ({ signal }): Promise<PlanResult> => {
      // If only the cache or the connection has changed, nobody is typing and there is no need to wait.
      const text = JSON.stringify(query);
      const isTyped = typed.current !== text;
      typed.current = text;
      if (isTyped) await pause(PAUSE_MS, signal);
      return backend.plan(query).then(
        (plan) => ({ plan, failure: null, query }),
        (error: unknown) => ({ plan: null, failure: toFailure(error), query }),
      );
    },
    enabled: problem === null,
    // The old plan stays until the new one is made, unless it is about a different source.
    placeholderData: (previous, of) => (of?.queryKey[PLAN_KEY.length] === source ? previous : undefined),
    staleTime: Infinity,
    // An earlier form is planned again: its days may have become due meanwhile.
    gcTime: 0,
    refetchOnWindowFocus: quiet ? false : "always",
    refetchInterval: ({ state }) => {
      const ages = state.data?.plan?.days.some((day) => day.state === "open") ?? false;
      return ages && !quiet ? AGE_MS : false;
    },
    refetchIntervalInBackground: true,
  });

  if (problem !== null) return { plan: null, failure: rangeFailure(problem), stale: false, query };
  return { ...(data ?? NO_RESULT), stale: data === undefined || isPlaceholderData };
}

import { useEffect, useRef, useState } from "react";

import { type Failure, type PlanView, type QueryInput, toFailure } from "../backend";
import { useBackend } from "../backend/context";
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

interface PlanResult {
  asked: string;
  query: QueryInput;
  plan: PlanView | null;
  failure: Failure | null;
}

function rangeFailure(problem: string): Failure {
  const target = { field: "dates" as const };
  return { code: "bad_range", message: problem, next: "Correct the dates.", cause: null, target };
}

/**
 * The plan of the current form. `stamp` changes whenever something other than the form may have changed the plan:
 * the connection, the day, the contents of the cache. A plan also ages: it is made again when the window gets the
 * focus and while one of its days is open; the old plan is shown meanwhile. It is not made again during a run
 * (`quiet`), which updates the days itself.
 */
export function usePlan(query: QueryInput, stamp: string, quiet: boolean): Planned {
  const backend = useBackend();
  const [result, setResult] = useState<PlanResult | null>(null);
  const typed = useRef("");
  const problem = rangeProblem(query.from, query.to);
  const text = JSON.stringify(query);
  const asked = `${stamp}|${text}`;
  const fresh = problem === null && result?.asked === asked;
  const ages = fresh && (result.plan?.days.some((day) => day.state === "open") ?? false);

  useEffect(() => {
    if (problem !== null || (fresh && quiet)) return;
    let live = true;
    let last = 0;
    const wanted = JSON.parse(text) as QueryInput;
    const ask = () => {
      last += 1;
      const mine = last;
      // An answer that was overtaken by a later one is ignored.
      const report = (plan: PlanView | null, failure: Failure | null) => {
        if (live && mine === last) setResult({ asked, query: wanted, plan, failure });
      };
      backend.plan(wanted).then(
        (plan) => report(plan, null),
        (error: unknown) => report(null, toFailure(error)),
      );
    };
    // If only the cache or the connection has changed, nobody is typing and there is no need to wait.
    const first = fresh ? undefined : setTimeout(ask, typed.current === text ? 0 : PAUSE_MS);
    typed.current = text;
    const again = ages ? setInterval(ask, AGE_MS) : undefined;
    if (fresh) window.addEventListener("focus", ask);
    return () => {
      live = false;
      clearTimeout(first);
      clearInterval(again);
      window.removeEventListener("focus", ask);
    };
  }, [backend, asked, text, problem, fresh, ages, quiet]);

  if (problem !== null) return { plan: null, failure: rangeFailure(problem), stale: false, query };
  return {
    plan: result?.plan ?? null,
    failure: result?.failure ?? null,
    stale: !fresh,
    query: result?.query ?? null,
  };
}

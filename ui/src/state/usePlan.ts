import { useEffect, useState } from "react";

import { type Failure, type PlanView, type QueryInput, toFailure } from "../backend";
import { rangeProblem } from "../logic/days";
import { useBackend } from "./backendContext";

export interface Planned {
  plan: PlanView | null;
  failure: Failure | null;
  /** The plan shown belongs to an earlier form; the new one is on the way. */
  stale: boolean;
  /** The query that the plan or the failure belongs to. */
  query: QueryInput | null;
}

/** Typing pauses this long before the plan is asked for. */
const PAUSE_MS = 250;

interface Told {
  asked: string;
  query: QueryInput;
  plan: PlanView | null;
  failure: Failure | null;
}

function rangeFailure(problem: string): Failure {
  return { code: "bad_range", message: problem, next: "Correct the dates.", cause: null };
}

/**
 * The plan of the form as it stands. `stamp` changes whenever something other than the form may have
 * changed the plan: the connection, the day, what the cache holds.
 */
export function usePlan(query: QueryInput, stamp: string): Planned {
  const backend = useBackend();
  const [told, setTold] = useState<Told | null>(null);
  const problem = rangeProblem(query.from, query.to);
  const text = JSON.stringify(query);
  const asked = `${stamp}|${text}`;

  useEffect(() => {
    if (problem !== null) return;
    let live = true;
    const wanted = JSON.parse(text) as QueryInput;
    const timer = setTimeout(() => {
      backend.plan(wanted).then(
        (plan) => live && setTold({ asked, query: wanted, plan, failure: null }),
        (error: unknown) => live && setTold({ asked, query: wanted, plan: null, failure: toFailure(error) }),
      );
    }, PAUSE_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [backend, asked, text, problem]);

  if (problem !== null) return { plan: null, failure: rangeFailure(problem), stale: false, query };
  return {
    plan: told?.plan ?? null,
    failure: told?.failure ?? null,
    stale: told?.asked !== asked,
    query: told?.query ?? null,
  };
}

import { useEffect, useRef, useState } from "react";

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

/** An open day comes due by itself, so its plan is made again this often. */
export const AGE_MS = 30_000;

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
 * changed the plan: the connection, the day, what the cache holds. A plan ages too: it is made again, with
 * the old one standing meanwhile, when somebody comes back to the window and while a day of it is open,
 * but not while a run is under way (`quiet`), which moves the days by itself.
 */
export function usePlan(query: QueryInput, stamp: string, quiet: boolean): Planned {
  const backend = useBackend();
  const [told, setTold] = useState<Told | null>(null);
  const typed = useRef("");
  const problem = rangeProblem(query.from, query.to);
  const text = JSON.stringify(query);
  const asked = `${stamp}|${text}`;
  const fresh = problem === null && told?.asked === asked;
  const ages = fresh && (told.plan?.days.some((day) => day.state === "open") ?? false);

  useEffect(() => {
    if (problem !== null || (fresh && quiet)) return;
    let live = true;
    let last = 0;
    const wanted = JSON.parse(text) as QueryInput;
    const ask = () => {
      last += 1;
      const mine = last;
      // An answer that was overtaken by a later one says nothing any more.
      const tell = (plan: PlanView | null, failure: Failure | null) => {
        if (live && mine === last) setTold({ asked, query: wanted, plan, failure });
      };
      backend.plan(wanted).then(
        (plan) => tell(plan, null),
        (error: unknown) => tell(null, toFailure(error)),
      );
    };
    // Nobody types where only the cache or the connection has changed: the old plan need not stand on.
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
    plan: told?.plan ?? null,
    failure: told?.failure ?? null,
    stale: !fresh,
    query: told?.query ?? null,
  };
}

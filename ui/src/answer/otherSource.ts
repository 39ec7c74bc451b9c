// Whether the rows on the screen come from the active source.

import type { PlanView, QueryInput } from "../backend";
import { sameConditions } from "../query/filters";
import type { View } from "../run/runState";

interface FormPlan {
  plan: PlanView | null;
  query: QueryInput | null;
  stale: boolean;
}

/** Where the rows of a view come from; null if a fetch would bring the same rows. */
export function otherSourceText(view: View, source: string, { plan, query, stale }: FormPlan): string | null {
  const other = view.source === source ? "cached under a different mapping" : `cached from ${view.source}`;
  // The same conditions give the same signature if and only if source and mapping are the same.
  if (!stale && plan !== null && query !== null && view.query !== null && sameConditions(query, view.query)) {
    return plan.signature === view.key.signature ? null : other;
  }
  return view.source === source ? null : other;
}

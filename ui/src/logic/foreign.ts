// Whether what is shown is of the source in use.

import type { PlanView, QueryInput } from "../backend";
import { sameConditions } from "./filters";
import type { View } from "./runState";

interface FormPlan {
  plan: PlanView | null;
  query: QueryInput | null;
  stale: boolean;
}

/** Whose rows a view shows, where they are not those that a fetch would bring; null where they are. */
export function foreignText(view: View, source: string, { plan, query, stale }: FormPlan): string | null {
  const other = view.source === source ? "cached under a different mapping" : `cached from ${view.source}`;
  // The same conditions give the same signature if and only if source and mapping are the same.
  if (!stale && plan !== null && query !== null && view.query !== null && sameConditions(query, view.query)) {
    return plan.signature === view.key.signature ? null : other;
  }
  return view.source === source ? null : other;
}

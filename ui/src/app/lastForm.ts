import { useEffect, useRef } from "react";

import type { QueryInput, SourceView } from "../backend";
import { useBackend } from "../backend/context";
import type { Planned } from "../plan/usePlan";
import { sameQuery } from "../query/filters";
import { PRESETS } from "../query/presets";

/** The form as it was left, or the last five business days. */
export function firstQuery(view: SourceView): QueryInput {
  if (view.form) return view.form;
  const range = PRESETS.find((preset) => preset.id === "business-5")?.range(view.today);
  return { from: range?.from ?? view.today, to: range?.to ?? view.today, filters: [], advanced: "" };
}

/** Remembers the form for the next start, once typing has paused. */
export function useRememberedForm(query: QueryInput): void {
  const backend = useBackend();
  useEffect(() => {
    // If this fails, the form only has to be typed again.
    const timer = setTimeout(() => void backend.rememberForm(query).catch(() => undefined), 800);
    return () => clearTimeout(timer);
  }, [backend, query]);
}

/** Restores the last session's answer as soon as the first plan shows that it is cached. */
export function useLastAnswer(
  form: QueryInput | null,
  planned: Planned,
  restore: (query: QueryInput, signature: string) => void,
): void {
  const last = useRef(form);
  useEffect(() => {
    if (last.current === null || planned.stale || planned.plan === null || planned.query === null) return;
    const { signature, counts } = planned.plan;
    if (counts.serve + counts.refresh > 0 && sameQuery(planned.query, last.current)) {
      restore(planned.query, signature);
    }
    last.current = null;
  }, [planned, restore]);
}

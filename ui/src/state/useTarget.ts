import { useMemo } from "react";

import type { DeskState } from "../logic/runState";
import type { Target } from "./useShapes";

/** The rows to show: those of the run under way as soon as it has any, else those of the answer. */
export function useTarget(state: DeskState): Target | null {
  const { run, view, version } = state;
  const runKey = run !== null && !run.aside && run.stored > 0 ? run.key : null;
  const stored = run?.stored ?? 0;
  return useMemo(() => {
    if (runKey !== null) return { key: runKey, stamp: `${version}.${stored}`, live: true };
    // Of days that are not held there is nothing to read.
    const holds = view !== null && view.answer.days.missing.length < view.answer.days.requested;
    return !holds ? null : { key: view.key, stamp: `${version}`, live: false };
  }, [runKey, stored, view, version]);
}

import { useMemo } from "react";

import type { RunState } from "../run/runState";
import type { Target } from "./useShapes";

/** The rows to show: those of the current run as soon as it has any, otherwise those of the answer. */
export function useTarget(state: RunState): Target | null {
  const { run, view, version } = state;
  const runKey = run !== null && !run.background && run.stored > 0 ? run.key : null;
  const stored = run?.stored ?? 0;
  return useMemo(() => {
    if (runKey !== null) return { key: runKey, stamp: `${version}.${stored}`, live: true };
    // If no day is cached, there is nothing to read.
    const holds = view !== null && view.answer.days.missing.length < view.answer.days.requested;
    return !holds ? null : { key: view.key, stamp: `${version}`, live: false };
  }, [runKey, stored, view, version]);
}

import { useEffect, useRef } from "react";

import { afterPointer } from "../query/afterPointer";
import type { RunState } from "../run/runState";
import type { Panel } from "./usePanel";

/** The number of the answer that has arrived last. A run that failed brings none, and one that is read again is old. */
export function arrivedAnswer({ run, view, ending, version }: RunState): number | null {
  return view === null || run !== null || ending?.outcome === "failed" ? null : version;
}

interface Folding {
  panel: Panel;
  /** The panel shows the form, rather than the cached queries. */
  isForm: boolean;
  /** Changes with every answer that arrives; null while none has. */
  answer: number | null;
  /** Something in the form has to be corrected. */
  invalid: boolean;
  /** The form folds by itself. */
  auto: boolean;
}

/**
 * Folds the form when an answer has arrived, since its rows are what is wanted then. It stays open while it is being
 * typed in and while something in it has to be corrected.
 */
export function useFold({ panel, isForm, answer, invalid, auto }: Folding): void {
  const { host, open, fold, show } = panel;
  const may = auto && isForm && !invalid;
  const latest = useRef({ may, fold });
  useEffect(() => {
    latest.current = { may, fold };
  });
  const folded = useRef<number | null>(null);
  useEffect(() => {
    // Once it was folded, or there was nothing to fold, it is only opened by hand, and stays open then.
    if (!open || !latest.current.may) folded.current = answer;
    if (answer === null || answer === folded.current) return;
    const element = host.current;
    const foldNow = () => {
      folded.current = answer;
      if (latest.current.may) latest.current.fold();
    };
    if (element === null || !element.contains(document.activeElement)) {
      foldNow();
      return;
    }
    const left = (event: FocusEvent) => {
      const { relatedTarget } = event;
      // A list of values is drawn outside of the form, but belongs to it.
      if (relatedTarget instanceof Element && relatedTarget.closest("[role=listbox], [role=dialog]")) return;
      if (relatedTarget instanceof Node && element.contains(relatedTarget)) return;
      // Folding moves the rows: a click on one of them has to land first.
      // And the focus has to arrive: it comes back to the form if it was the window that lost it.
      afterPointer(() =>
        setTimeout(() => {
          if (!element.contains(document.activeElement)) foldNow();
        }, 0),
      );
    };
    element.addEventListener("focusout", left);
    return () => element.removeEventListener("focusout", left);
  }, [answer, open, host]);
  useEffect(() => {
    if (invalid) show();
  }, [invalid, show]);
}

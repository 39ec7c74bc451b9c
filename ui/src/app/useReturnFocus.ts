import { useEffect, useRef } from "react";

import { focusRegion } from "./regions";

/**
 * Returns the focus when a dialog has closed: to where it was or, if that element has been redrawn meanwhile, to the
 * rows. Does nothing if the focus has already moved elsewhere.
 */
export function useReturnFocus(open: boolean): void {
  const before = useRef<Element | null>(null);
  useEffect(() => {
    if (!open) return;
    const left = before.current;
    return () => {
      setTimeout(() => {
        const now = document.activeElement;
        if (now !== null && now !== document.body && now.isConnected) return;
        if (left instanceof HTMLElement && left.isConnected && left !== document.body) left.focus();
        else if (!focusRegion("rows")) focusRegion("plan");
      }, 0);
    };
  }, [open]);
  useEffect(() => {
    if (open) return;
    const noted = () => {
      const now = document.activeElement;
      // A dialog takes the focus before `open` is known here.
      if (now !== null && now.closest("[role=dialog]") === null) before.current = now;
    };
    noted();
    document.addEventListener("focusin", noted);
    return () => document.removeEventListener("focusin", noted);
  }, [open]);
}

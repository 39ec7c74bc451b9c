import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

import { focusRegion } from "./regions";

export interface Panel {
  open: boolean;
  show: () => void;
  /** Hides it. What has the focus in it loses it to the rows. */
  fold: () => void;
  toggle: () => void;
  /** The element of the panel. */
  host: RefObject<HTMLElement | null>;
}

/** The side panel. Hiding it does not lose the focus, and showing it again returns the focus to its place. */
export function usePanel(): Panel {
  const [open, setOpen] = useState(true);
  const host = useRef<HTMLElement>(null);
  const left = useRef<HTMLElement | null>(null);
  const show = useCallback(() => setOpen(true), []);
  const fold = useCallback(() => {
    const active = document.activeElement;
    left.current = active instanceof HTMLElement && host.current?.contains(active) ? active : null;
    setOpen(false);
  }, []);
  const toggle = () => (open ? fold() : setOpen(true));
  useEffect(() => {
    if (left.current === null) return;
    if (!open) {
      if (!focusRegion("rows")) focusRegion("plan");
      return;
    }
    left.current.focus();
    left.current = null;
  }, [open]);
  return { open, show, fold, toggle, host };
}

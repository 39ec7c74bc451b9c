import { useCallback, useMemo } from "react";

import type { Role, ViewShape } from "../backend";
import { readStored, useStored } from "../controls/useStored";
import { type ColumnPrefs, NO_PREFS, toRemember, withDefaults } from "./grid/columns";
import { arranged, type Layouts, layoutsOf, NO_LAYOUTS, type SourceLayouts, withLayouts } from "./layouts";

interface HeldLayouts {
  layouts: Layouts;
  setLayouts: (layouts: Layouts) => void;
  /** How the columns are laid out now. */
  prefs: ColumnPrefs;
  setPrefs: (prefs: ColumnPrefs) => void;
}

/** The layouts of a tab, remembered per source. */
export function useLayouts(source: string, role: Role, shape: ViewShape | null): HeldLayouts {
  const status = shape?.status_column ?? null;
  const [all, store] = useStored<SourceLayouts>("tidemark.layouts", NO_LAYOUTS);
  const fallback = useMemo(() => readStored<ColumnPrefs>(`tidemark.columns.${role}`, NO_PREFS), [role]);
  const layouts = layoutsOf(all, source, role, fallback);
  const { now } = layouts;
  const prefs = useMemo(
    () => (shape === null ? now : withDefaults(shape, now, status)),
    [shape, now, status],
  );
  const setLayouts = useCallback(
    (next: Layouts) => store(withLayouts(all, source, role, next)),
    [all, store, source, role],
  );
  const setPrefs = useCallback(
    (next: ColumnPrefs) => {
      const held = layoutsOf(all, source, role, fallback);
      // What nobody has chosen follows the mapping.
      const isDefault = held.now.coloured === undefined && next.coloured === status;
      const chosen = { ...next };
      if (isDefault) delete chosen.coloured;
      setLayouts(
        arranged(held, shape === null ? chosen : toRemember(shape, next === NO_PREFS ? next : chosen)),
      );
    },
    [all, source, role, fallback, shape, status, setLayouts],
  );
  return { layouts, setLayouts, prefs, setPrefs };
}

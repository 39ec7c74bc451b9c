import { type Dispatch, type RefObject, type SetStateAction, useEffect, useRef } from "react";

import type { FilterFields } from "./grid/contract";
import type { GridHandle } from "./grid/GridView";
import type { PaneCommands } from "./rowsCommands";
import type { Bar } from "./RowsBar";

interface Pane {
  /** Set to what performs a command. */
  rowsRef: RefObject<PaneCommands | null>;
  grid: RefObject<GridHandle | null>;
  hasRows: boolean;
  fields: FilterFields;
  showFields: (shown: boolean) => void;
  setBar: Dispatch<SetStateAction<Bar | null>>;
}

/** Performs the commands of the window's keys and palette at the current cell of a tab. */
export function usePaneCommands({ rowsRef, grid, hasRows, fields, showFields, setBar }: Pane): void {
  const focusField = useRef(false);
  useEffect(() => {
    if (!fields.shown || !focusField.current) return;
    focusField.current = false;
    grid.current?.focusFilter(grid.current.here()?.path ?? null);
  }, [grid, fields.shown]);
  useEffect(() => {
    rowsRef.current = (command) => {
      if (command === "filter_row") {
        focusField.current = !fields.shown;
        showFields(!fields.shown);
        return;
      }
      if (!hasRows) return;
      if (command === "find" || command === "go_to_row") {
        setBar((held) => ({ kind: command, asks: (held?.asks ?? 0) + 1 }));
        return;
      }
      // Without an active cell, the first one that is seen becomes it.
      grid.current?.focus();
      const at = command === "select_all" ? null : (grid.current?.here() ?? null);
      grid.current?.perform(command, at ?? { row: null, path: null });
    };
    return () => {
      rowsRef.current = null;
    };
  }, [rowsRef, grid, hasRows, fields.shown, showFields, setBar]);
}

import { type RefObject, useCallback } from "react";

import { cellCondition, cellFilters } from "./cellFilter";
import { type ColumnDialog, isDialog } from "./ColumnDialogs";
import { conditionOf, withCondition } from "./filters";
import type { ColumnPrefs } from "./grid/columns";
import type { Handlers } from "./grid/contract";
import type { GridHandle } from "./grid/GridView";
import type { Narrowed, Narrowing } from "./useNarrowed";
import type { QueryFilter } from "./useQueryFilter";

interface Pane {
  grid: RefObject<GridHandle | null>;
  shape: Narrowed["shape"];
  prefs: ColumnPrefs;
  setPrefs: (prefs: ColumnPrefs) => void;
  propose: Narrowing["propose"];
  queryFilter: QueryFilter;
  group: (path: string) => void;
  setDialog: (dialog: ColumnDialog) => void;
  /** Shows what a column adds up to, or no longer. */
  toggleSums: (path: string) => void;
  /** Shows the trade of a row. */
  openTrade: (row: number) => void;
  announce: (text: string) => void;
}

/** What the grid leaves to the window, at a cell or a column. */
export function useAsk(pane: Pane): Handlers["ask"] {
  const { grid, shape, prefs, setPrefs, propose, queryFilter, group } = pane;
  const { setDialog, toggleSums, openTrade, announce } = pane;
  return useCallback<Handlers["ask"]>(
    (command, { row, path }) => {
      if (isDialog(command)) {
        const at = grid.current?.belowHeading(path) ?? { x: 0, y: 0 };
        return setDialog({ kind: command, path, at });
      }
      if (command === "group_by") return group(path);
      if (command === "colour") {
        return setPrefs({ ...prefs, coloured: path === prefs.coloured ? null : path });
      }
      if (command === "sums") return toggleSums(path);
      if (command === "trade") return row === null ? undefined : openTrade(row);
      const value = row === null ? undefined : grid.current?.valueAt({ row, path });
      if (command === "query_filter") return queryFilter.use(row ?? 0, path, value);
      const column = shape.columns.find((one) => one.path === path);
      // From the palette anything can be asked of any cell.
      if (!cellFilters(value, column).includes(command)) return announce("This cell has no such filter");
      propose(path, (held) =>
        withCondition(held, path, cellCondition(command, value ?? null, conditionOf(held, path))),
      );
    },
    [grid, shape, prefs, setPrefs, propose, queryFilter, group, setDialog, toggleSums, openTrade, announce],
  );
}

// Cells of the grid by the path of their column.

import type { At } from "./contract";
import type { TableGrid } from "./createGrid";

/** The path of a column; null if there is no such column. */
export function pathAt(grid: TableGrid, cell: number | undefined): string | null {
  const id = cell === undefined ? undefined : grid.getColumns()[cell]?.id;
  return id === undefined ? null : String(id);
}

/** The active cell; null if there is none. */
export function activeAt(grid: TableGrid): At | null {
  const at = grid.getActiveCell();
  const path = pathAt(grid, at?.cell);
  return at === null || path === null ? null : { row: at.row, path };
}

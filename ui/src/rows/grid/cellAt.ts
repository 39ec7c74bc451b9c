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

/** The cell or, with a null row, the heading that the pointer is at; null if it is at neither. */
export function pointedAt(grid: TableGrid, event: MouseEvent): { path: string; row: number | null } | null {
  const target = event.target instanceof Element ? event.target : null;
  const heading = target?.closest<HTMLElement>("[role=columnheader]")?.dataset.path;
  if (heading !== undefined) return { path: heading, row: null };
  const at = grid.getCellFromEvent(event);
  const path = pathAt(grid, at?.cell);
  return at === null || path === null ? null : { path, row: at.row };
}

import type { TableGrid } from "./createGrid";
import type { SpreadsheetSelection } from "./selectionModel";

/**
 * Moves the active cell and the selection along with their columns, from one order of the paths to another. The grid
 * keeps both by index: if columns were moved, shown or hidden, they would cover other columns, and a copy would contain
 * the wrong data.
 */
export function followColumns(
  grid: TableGrid,
  selection: SpreadsheetSelection,
  before: readonly string[],
  after: readonly string[],
): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  const active = grid.getActiveCell();
  if (active !== null) {
    const path = before[active.cell];
    const cell = path === undefined ? -1 : after.indexOf(path);
    grid.moveActiveCell(cell >= 0 ? cell : Math.max(0, Math.min(active.cell, after.length - 1)));
  }
  selection.follow(before, after);
}

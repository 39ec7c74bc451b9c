// What is done with the grid and known of it, apart from what keeps it in sync.

import type { SelectedCells } from "./contract";
import type { TableColumn, TableGrid } from "./createGrid";
import type { LazyRows } from "./lazyRows";
import type { Range } from "./selection";

/** The part of the width that pinned columns may take. */
const MAX_PINNED = 0.6;

/** Freezes the first columns of those that are drawn next, unless they would leave too little room for the others. */
export function pinColumns(
  grid: TableGrid,
  host: HTMLElement,
  pinned: number,
  columns: readonly TableColumn[],
): void {
  const width = columns.slice(0, pinned).reduce((sum, column) => sum + (column.width ?? 0), 0);
  const frozenColumn = width <= MAX_PINNED * host.clientWidth ? pinned - 1 : -1;
  if (frozenColumn !== (grid.getOptions().frozenColumn ?? -1)) grid.setOptions({ frozenColumn }, true, true);
}

/** The cells of a range, to be read. */
export function cellsIn(grid: TableGrid, rows: LazyRows, range: Range | null): SelectedCells | null {
  if (range === null) return null;
  const { fromRow, toRow, fromCell, toCell } = range;
  const places = placesOf(grid.getColumns().slice(fromCell, toCell + 1));
  return { rows: toRow - fromRow + 1, places, read: () => rows.range(fromRow, toRow, places) };
}

/** The places of columns in a row. */
export function placesOf(columns: readonly TableColumn[]): number[] {
  return columns.map((column) => Number(column.field));
}

/** The places of the columns that are in sight, pinned ones included. */
export function placesInSight(grid: TableGrid): number[] {
  const { leftPx, rightPx } = grid.getViewport();
  const columns = grid.getColumns();
  const pinned = (grid.getOptions().frozenColumn ?? -1) + 1;
  let left = 0;
  const inSight = columns.slice(pinned).filter(({ width = 0 }) => {
    left += width;
    return left >= leftPx && left - width <= rightPx;
  });
  return placesOf([...columns.slice(0, pinned), ...inSight]);
}

/** Where a popover about a column opens: below its heading. */
export function belowHeading(host: HTMLElement, path: string): { x: number; y: number } {
  const headings = [...host.querySelectorAll<HTMLElement>("[role=columnheader]")];
  const box = (headings.find((at) => at.dataset.path === path) ?? host).getBoundingClientRect();
  return { x: box.left, y: box.bottom };
}

/** Makes a row the active one, in the column of the active cell. Takes no focus from where it is. */
export function goToRow(grid: TableGrid, row: number): void {
  if (row < 0 || row >= grid.getDataLength()) return;
  const cell = grid.getActiveCell()?.cell ?? 0;
  grid.scrollRowIntoView(row);
  grid.setActiveCell(row, cell);
}

/** Draws rows again, those that are drawn at all. */
export function redrawRows(grid: TableGrid, first: number, last: number): void {
  const touched: number[] = [];
  const range = grid.getRenderedRange();
  for (let row = Math.max(first, range.top); row <= Math.min(last, range.bottom); row += 1) touched.push(row);
  if (touched.length === 0) return;
  grid.keepingFocus(() => {
    grid.invalidateRows(touched);
    grid.render();
  });
}

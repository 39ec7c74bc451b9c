// Copies what is selected: all of it or nothing.

import type { Handlers } from "./contract";
import type { TableGrid } from "./createGrid";
import type { LazyRows } from "./lazyRows";
import { copyRefusal, type Range, selectedOf } from "./selection";
import { toTsv } from "./tsv";

/** More rows than this take a moment to read, so the copy is announced. */
const SLOW_COPY = 5000;

/** Copies are numbered, so that the clipboard gets the one requested last, not the one that took longest. */
let lastCopy = 0;

interface From {
  grid: TableGrid;
  rows: LazyRows;
  range: Range | null;
}

export async function copySelection(
  { grid, rows, range }: From,
  heading: boolean,
  handlers: Pick<Handlers, "announce" | "copy" | "copying" | "copyFailed">,
): Promise<void> {
  if (range === null) return;
  const selected = selectedOf(range);
  const refusal = copyRefusal(selected);
  if (refusal !== null) return handlers.announce(refusal);
  lastCopy += 1;
  const mine = lastCopy;
  const columns = grid.getColumns().slice(range.fromCell, range.toCell + 1);
  const places = columns.map((column) => Number(column.field));
  const names = columns.map((column) => String(column.id));
  if (selected.rows > SLOW_COPY) handlers.copying(selected.rows);
  try {
    const read = await rows.range(range.fromRow, range.toRow);
    if (mine !== lastCopy) return;
    const single = read.length === 1 && places.length === 1 && !heading;
    // One cell is copied as it is, without the quotes that a table needs.
    const text = single ? (read[0]?.[places[0] ?? 0] ?? "") : toTsv(read, places, heading ? names : null);
    handlers.copy(text, selected);
  } catch (error) {
    if (mine === lastCopy) handlers.copyFailed(error);
  }
}

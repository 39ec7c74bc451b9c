// Copies what is selected: all of it or nothing.

import { cellText, type Formats } from "./cellFormat";
import type { Content, Handlers } from "./contract";
import type { TableGrid } from "./createGrid";
import type { LazyRows, Row } from "./lazyRows";
import { placesOf } from "./onGrid";
import { copyRefusal, type Range, selectedOf } from "./selection";
import { toTsv } from "./tsv";

/** More rows than this take a moment to read, so the copy is announced. */
const SLOW_COPY = 5000;

/** Copies are numbered, so that the clipboard gets the one requested last, not the one that took longest. */
let lastCopy = 0;

/** The commands that copy, and what each puts on the clipboard. */
const COPIES = {
  copy: { heading: false, asShown: false },
  copy_with_heading: { heading: true, asShown: false },
  copy_shown: { heading: false, asShown: true },
  copy_shown_with_heading: { heading: true, asShown: true },
} as const;

export type CopyCommand = keyof typeof COPIES;

export function isCopy(command: string): command is CopyCommand {
  return command in COPIES;
}

interface From {
  grid: TableGrid;
  rows: LazyRows;
  range: Range | null;
  content: Pick<Content, "columns" | "zones"> | null;
  formats: Formats;
}

/** Rows with the numbers and times of some columns as the grid shows them. */
function asShown(rows: readonly Row[], places: readonly number[], { content, formats }: From): Row[] {
  if (content === null) return [...rows];
  const { columns, zones } = content;
  return rows.map((row) => {
    const made = [...row];
    for (const place of places) {
      const [text, column] = [row[place], columns[place]];
      if (typeof text === "string" && column) made[place] = cellText(text, column, formats, zones);
    }
    return made;
  });
}

export async function copySelection(
  from: From,
  command: CopyCommand,
  handlers: Pick<Handlers, "announce" | "copy" | "copying" | "copyFailed">,
): Promise<void> {
  const { grid, rows, range } = from;
  const form = COPIES[command];
  if (range === null) return;
  const selected = selectedOf(range);
  const refusal = copyRefusal(selected);
  if (refusal !== null) return handlers.announce(refusal);
  lastCopy += 1;
  const mine = lastCopy;
  const columns = grid.getColumns().slice(range.fromCell, range.toCell + 1);
  const places = placesOf(columns);
  // A heading as shown names the zone of its times, too.
  const names = columns.map(({ id, name }) => (form.asShown && typeof name === "string" ? name : String(id)));
  if (selected.rows > SLOW_COPY) handlers.copying(selected.rows);
  try {
    const stored = await rows.range(range.fromRow, range.toRow, places);
    if (mine !== lastCopy) return;
    const read = form.asShown ? asShown(stored, places, from) : stored;
    const single = read.length === 1 && places.length === 1 && !form.heading;
    // One cell is copied as it is, without the quotes that a table needs.
    const text = single
      ? (read[0]?.[places[0] ?? 0] ?? "")
      : toTsv(read, places, form.heading ? names : null);
    handlers.copy(text, selected);
  } catch (error) {
    if (mine === lastCopy) handlers.copyFailed(error);
  }
}

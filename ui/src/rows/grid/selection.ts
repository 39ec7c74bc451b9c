// The selected cells of the grid, as a spreadsheet knows them: a rectangle between the active cell and another cell.

import type { Command } from "../../controls/commands";
import { count, plural } from "../../controls/format";
import { commandOf, keyText, type Pressed } from "../../controls/keys";

export interface At {
  row: number;
  cell: number;
}

/** How many rows and columns there are. */
export interface Size {
  rows: number;
  cells: number;
}

export interface Range {
  fromRow: number;
  fromCell: number;
  toRow: number;
  toCell: number;
}

/** The selection grows from `anchor`, which is the active cell, to `lead`. */
export interface Selection {
  anchor: At;
  lead: At;
  /** Columns are selected from the first row to the last, whichever rows the corners are in. */
  wholeColumns: boolean;
  /** Rows are selected from the first column to the last. */
  wholeRows: boolean;
}

/** Rows that one copy may hold. Above this the export is the better tool. */
export const MAX_COPIED_ROWS = 100_000;

export function single(at: At): Selection {
  return { anchor: at, lead: at, wholeColumns: false, wholeRows: false };
}

/** The selected cells; null if there are none because the rows or columns are gone. */
export function rangeOf({ anchor, lead, wholeColumns, wholeRows }: Selection, size: Size): Range | null {
  const fromRow = wholeColumns ? 0 : Math.min(anchor.row, lead.row);
  const fromCell = wholeRows ? 0 : Math.min(anchor.cell, lead.cell);
  if (fromRow >= size.rows || fromCell >= size.cells) return null;
  const toRow = wholeColumns ? size.rows - 1 : Math.max(anchor.row, lead.row);
  const toCell = wholeRows ? size.cells - 1 : Math.max(anchor.cell, lead.cell);
  return {
    fromRow,
    fromCell,
    toRow: Math.min(toRow, size.rows - 1),
    toCell: Math.min(toCell, size.cells - 1),
  };
}

/**
 * A selection after its columns have moved from one order to another; null if they are no longer side by side with the
 * active cell at a corner.
 */
export function afterMove(
  selection: Selection,
  before: readonly string[],
  after: readonly string[],
): Selection | null {
  const { anchor, lead, wholeRows } = selection;
  const from = Math.min(anchor.cell, lead.cell);
  const to = Math.max(anchor.cell, lead.cell);
  const places = before.slice(from, to + 1).map((path) => after.indexOf(path));
  const active = places[anchor.cell - from];
  if (active === undefined || active < 0) return null;
  // Whole rows contain every column, whichever two are at the corners.
  if (wholeRows)
    return { ...selection, anchor: { ...anchor, cell: active }, lead: { ...lead, cell: active } };
  const first = Math.min(...places);
  const last = Math.max(...places);
  const isBlock = first >= 0 && last - first === to - from && (active === first || active === last);
  if (!isBlock) return null;
  return {
    ...selection,
    anchor: { ...anchor, cell: active },
    lead: { ...lead, cell: active === first ? last : first },
  };
}

export function contains(range: Range, { row, cell }: At): boolean {
  return row >= range.fromRow && row <= range.toRow && cell >= range.fromCell && cell <= range.toCell;
}

type Step =
  | "up"
  | "down"
  | "left"
  | "right"
  | "page_up"
  | "page_down"
  | "row_start"
  | "row_end"
  | "top"
  | "bottom"
  | "first"
  | "last";

/** What a key asks of the selection. */
export type SelectionKey =
  | { kind: "all" | "columns" | "rows" }
  /** The selection grows or shrinks, and the active cell stays. */
  | { kind: "extend"; step: Step }
  /** The active cell jumps. */
  | { kind: "jump"; step: Step }
  /** The active cell moves by the grid's own means, and the selection with it. */
  | { kind: "move" };

const WHOLE = {
  select_all: "all",
  select_column: "columns",
  select_row: "rows",
} as const;

const STEPS = {
  up: "up",
  down: "down",
  left: "left",
  right: "right",
  page_up: "page_up",
  page_down: "page_down",
  row_start: "row_start",
  row_end: "row_end",
  top: "top",
  bottom: "bottom",
  left_edge: "row_start",
  right_edge: "row_end",
  first: "first",
  last: "last",
} as const satisfies Partial<Record<Command<"rows">, Step>>;

/** The commands of keys that select whole rows or columns. */
export type WholeCommand = keyof typeof WHOLE;

type StepCommand = keyof typeof STEPS;

/** The commands that are about the selection. */
export type SelectingCommand = WholeCommand | StepCommand;

function isWhole(command: Command<"rows">): command is WholeCommand {
  return command in WHOLE;
}

function isStep(command: Command<"rows">): command is StepCommand {
  return command in STEPS;
}

export function isSelecting(command: Command<"rows">): command is SelectingCommand {
  return isWhole(command) || isStep(command);
}

export function selectionKey(event: Pressed): SelectionKey | null {
  const command = commandOf("rows", event);
  if (command !== null && isWhole(command)) return { kind: WHOLE[command] };
  // Shift extends the selection with every key that moves.
  const { key, ctrlKey, metaKey, altKey } = event;
  const moving = commandOf("rows", { key, ctrlKey, metaKey, altKey, shiftKey: false });
  if (moving === null || !isStep(moving)) return null;
  const step = STEPS[moving];
  if (event.shiftKey) return { kind: "extend", step };
  return ctrlKey || metaKey ? { kind: "jump", step } : { kind: "move" };
}

/** The cell that a step leads to. It never leaves the grid. */
export function stepFrom({ row, cell }: At, step: Step, size: Size, page: number): At {
  const lastRow = size.rows - 1;
  const lastCell = size.cells - 1;
  const to = {
    up: { row: row - 1, cell },
    down: { row: row + 1, cell },
    left: { row, cell: cell - 1 },
    right: { row, cell: cell + 1 },
    page_up: { row: row - page, cell },
    page_down: { row: row + page, cell },
    row_start: { row, cell: 0 },
    row_end: { row, cell: lastCell },
    top: { row: 0, cell },
    bottom: { row: lastRow, cell },
    first: { row: 0, cell: 0 },
    last: { row: lastRow, cell: lastCell },
  }[step];
  const within = (at: number, last: number) => Math.max(0, Math.min(at, last));
  return { row: within(to.row, lastRow), cell: within(to.cell, lastCell) };
}

/** Rows and columns of a selection. */
export interface Selected {
  rows: number;
  columns: number;
}

export function selectedOf(range: Range | null): Selected {
  if (range === null) return { rows: 0, columns: 0 };
  return { rows: range.toRow - range.fromRow + 1, columns: range.toCell - range.fromCell + 1 };
}

function sizeText({ rows, columns }: Selected): string {
  return `${plural(rows, "row")} × ${plural(columns, "column")}`;
}

/** What a copy of the selection would contain; null for one cell, for which that is obvious. */
export function selectionText(selected: Selected): string | null {
  if (selected.rows * selected.columns <= 1) return null;
  const size = sizeText(selected);
  if (selected.rows <= MAX_COPIED_ROWS) return `${size} selected; ${keyText("rows", "copy")} copies them`;
  const most = `at most ${count(MAX_COPIED_ROWS)} rows`;
  return `${size} selected, too many to copy (${most}); ${keyText("window", "export")} exports all rows`;
}

/** What a copy has put on the clipboard. */
export function copiedText(selected: Selected): string {
  return `Copied ${selected.rows * selected.columns === 1 ? "1 cell" : sizeText(selected)}`;
}

/** Why a selection is not copied; null if it is. Part of it is never copied: nobody would see what is missing. */
export function copyRefusal(selected: Selected): string | null {
  if (selected.rows <= MAX_COPIED_ROWS) return null;
  // Short, since it is shown beside the description of the selection.
  return `Nothing copied: more than ${count(MAX_COPIED_ROWS)} rows selected`;
}

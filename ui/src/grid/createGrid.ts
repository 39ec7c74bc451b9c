// SlickGrid, set up for read-only pages of text. Knows no React.

import "./sortable";

import type { Column, GridOption } from "slickgrid";

import type { PlacedColumn } from "../logic/columns";
import { isRight } from "../logic/columns";
import type { Cell } from "../logic/tsv";
import { AccessibleGrid } from "./accessibleGrid";
import type { LazyRows, Row } from "./lazyRows";
import { SpreadsheetSelection } from "./selectionModel";

// The grid's types know rows as objects with named fields. Here a row is a list, and the name of a field is
// its place in the list.
type NamedRow = Record<string, Cell>;

export type TableColumn = Column<NamedRow>;
export type TableGrid = AccessibleGrid<NamedRow, TableColumn>;

/** The height of a row and the size of its letters at the usual size, in pixels. */
export const ROW_HEIGHT = 24;
export const USUAL_EM = 11;

/** A column is never narrower than this, in pixels. */
export const MIN_WIDTH = 40;

/** What can be done with a column, by mouse and by keyboard. */
const HEADING_HINT =
  "Click to sort, drag to move. From a cell: Alt+↑↓ sorts, Alt+←→ changes the width, Alt+Shift+←→ moves the column.";

/** Text longer than this is cut in a cell; the row detail shows it whole. */
const MAX_CELL_TEXT = 400;

function mark(className: string, text: string): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function format(value: unknown): string | HTMLElement {
  if (value === null || value === undefined) return mark("cell-null", "–");
  if (value === "") return mark("cell-empty", "empty");
  const text = value as string;
  return text.length > MAX_CELL_TEXT ? `${text.slice(0, MAX_CELL_TEXT)}…` : text;
}

export function toTableColumns(
  placed: readonly PlacedColumn[],
  width: (placed: PlacedColumn) => number,
): TableColumn[] {
  return placed.map((entry) => ({
    id: entry.column.path,
    name: entry.column.path,
    // The place of the cell in a row; the paths themselves hold dots and cannot serve as keys.
    field: String(entry.index),
    toolTip: `${entry.column.path} (${entry.column.types.join(", ")})\n${HEADING_HINT}`,
    width: width(entry),
    minWidth: MIN_WIDTH,
    sortable: true,
    resizable: true,
    cssClass: isRight(entry.column) ? "cell-right" : "",
    headerCssClass: isRight(entry.column) ? "head-right" : "",
    formatter: (_row, _cell, value: unknown) => format(value),
  }));
}

const OPTIONS: GridOption<TableColumn> = {
  rowHeight: ROW_HEIGHT,
  enableCellNavigation: true,
  enableColumnReorder: true,
  enableTextSelectionOnCells: false,
  // Cells come from documents: they are shown as text and never as markup.
  enableHtmlRendering: false,
  forceFitColumns: false,
  multiColumnSort: false,
  tristateMultiColumnSort: false,
  editable: false,
  // Browsers place elements wrongly far below this; the grid pages its offsets from here on, so
  // that five million rows scroll like fifty thousand.
  maxSupportedCssHeight: 8_000_000,
  ffMaxSupportedCssHeight: 4_000_000,
  dataItemColumnValueExtractor: (row: Row, column: TableColumn) => row[Number(column.field)] ?? null,
};

export interface Created {
  grid: TableGrid;
  selection: SpreadsheetSelection;
}

export function createGrid(host: HTMLElement, rows: LazyRows): Created {
  // The data view interface asks for more than the grid uses for rows that are only read.
  const data = rows as unknown as NamedRow[];
  // The page takes no styles but its own, which carry this number.
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  const grid = new AccessibleGrid<NamedRow, TableColumn>(host, data, [], { ...OPTIONS, nonce });
  grid.settle();
  const selection = new SpreadsheetSelection();
  grid.setSelectionModel(selection);
  return { grid, selection };
}

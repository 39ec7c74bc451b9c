// SlickGrid, set up for read-only pages of text. Knows no React.

import "./sortable";

import type { Column, GridOption } from "slickgrid";

import { moment } from "../../controls/format";
import { pairText } from "../../controls/keys";
import type { ColumnView } from "../../backend";
import { AccessibleGrid } from "./accessibleGrid";
import { cellText, type Formats, TIME, zoneMark, type Zones } from "./cellFormat";
import type { PlacedColumn } from "./columns";
import { columnName, isRight } from "./columns";
import { FILTER_ROW_HEIGHT } from "./filterRow";
import { colourOf } from "./rowColours";
import type { LazyRows, Row } from "./lazyRows";
import { SpreadsheetSelection } from "./selectionModel";
import type { Cell } from "./tsv";

// In the grid's types a row is an object with named fields. Here a row is a list, and the name of a field is its index
// in the list.
type NamedRow = Record<string, Cell>;

export type TableColumn = Column<NamedRow>;
export type TableGrid = AccessibleGrid<NamedRow, TableColumn>;

/** The height of a row and its text size at the normal zoom, in pixels. */
export const ROW_HEIGHT = 21;
export const USUAL_EM = 11;

/** A column is never narrower than this, in pixels. */
export const MIN_WIDTH = 40;

/** What can be done with a column, by mouse and by keyboard. */
const HEADING_HINT =
  "Click to sort, Shift+click to sort by a further column, drag to move. From a cell: " +
  `${pairText("rows", "sort_up", "sort_down")} sorts, ` +
  `${pairText("rows", "then_sort_up", "then_sort_down")} sorts by a further column, ` +
  `${pairText("rows", "narrower", "wider")} changes the width, ` +
  `${pairText("rows", "move_left", "move_right")} moves the column.`;

/** Text longer than this is cut in a cell; the row detail shows it whole. */
const MAX_CELL_TEXT = 400;

function mark(className: string, text: string): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function format(value: unknown): string | HTMLElement {
  if (value === undefined) return mark("cell-pending", "");
  if (value === null) return mark("cell-null", "–");
  if (value === "") return mark("cell-empty", "empty");
  const text = value as string;
  return text.length > MAX_CELL_TEXT ? `${text.slice(0, MAX_CELL_TEXT)}…` : text;
}

/** How the cells are shown. */
export interface Shown {
  /** The zone in which the tooltip of a time reads it. */
  zone: string;
  zones: Zones;
  formats: Formats;
  /** The column by whose values the rows are coloured. */
  coloured?: string | null;
}

/** A cell as it is shown. A tooltip has what is stored, or the zone in which the window shows times. */
function formatCell(
  value: unknown,
  column: ColumnView,
  { zone, zones, formats, coloured }: Shown,
): string | HTMLElement {
  if (typeof value !== "string" || value === "") return format(value);
  const text = cellText(value, column, formats, zones);
  if (column.path === coloured) {
    const cell = mark("cell-coloured", text);
    const sign = mark("cell-mark", colourOf(value)?.mark ?? "");
    sign.setAttribute("aria-hidden", "true");
    cell.prepend(sign, " ");
    return cell;
  }
  const isTime = column.types.includes("date") && TIME.test(value);
  const hint = text !== value ? value : isTime && zone !== "UTC" ? moment(value, zone) : null;
  if (hint === null) return format(value);
  const cell = mark(isTime ? "cell-time" : "cell-number", text);
  cell.title = hint;
  return cell;
}

export function toTableColumns(
  placed: readonly PlacedColumn[],
  shown: Shown,
  width: (placed: PlacedColumn) => number,
): TableColumn[] {
  return placed.map((entry) => ({
    id: entry.column.path,
    name: columnName(entry.column) + zoneMark(entry.column, shown.formats, shown.zones),
    // The index of the cell in a row; the paths contain dots and cannot be used as keys.
    field: String(entry.index),
    toolTip: `${entry.column.path} (${entry.column.types.join(", ")})\n${HEADING_HINT}`,
    width: width(entry),
    minWidth: MIN_WIDTH,
    sortable: true,
    resizable: true,
    cssClass: isRight(entry.column) ? "cell-right" : "",
    headerCssClass: isRight(entry.column) ? "head-right" : "",
    formatter: (_row, _cell, value: unknown) => formatCell(value, entry.column, shown),
  }));
}

const OPTIONS: GridOption<TableColumn> = {
  rowHeight: ROW_HEIGHT,
  headerRowHeight: FILTER_ROW_HEIGHT,
  enableCellNavigation: true,
  enableColumnReorder: true,
  enableTextSelectionOnCells: false,
  // Cells come from documents: they are shown as text and never as markup.
  enableHtmlRendering: false,
  forceFitColumns: false,
  // The sorts after a click are worked out in sorting.ts; the grid only shows them.
  multiColumnSort: false,
  tristateMultiColumnSort: false,
  editable: false,
  // The controller pins only what leaves room for the others.
  skipFreezeColumnValidation: true,
  // Browsers misplace elements far below this height. From here on the grid pages its offsets, so that five million
  // rows scroll like fifty thousand.
  maxSupportedCssHeight: 8_000_000,
  ffMaxSupportedCssHeight: 4_000_000,
  dataItemColumnValueExtractor: (row: Row, column: TableColumn) => row[Number(column.field)],
};

export interface Created {
  grid: TableGrid;
  selection: SpreadsheetSelection;
}

export function createGrid(host: HTMLElement, rows: LazyRows): Created {
  // The interface of a data view has more than the grid uses for read-only rows.
  const data = rows as unknown as NamedRow[];
  // The content security policy allows only styles with this nonce.
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  const grid = new AccessibleGrid<NamedRow, TableColumn>(host, data, [], { ...OPTIONS, nonce });
  grid.settle();
  const selection = new SpreadsheetSelection();
  grid.setSelectionModel(selection);
  return { grid, selection };
}

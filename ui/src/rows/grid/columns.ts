// Which columns of a view are shown, in which order, and how wide.

import type { ColumnView, ViewShape } from "../../backend";
import type { Formats } from "./cellFormat";
import type { Cell } from "./tsv";

/** How the user has arranged the columns; remembered by path, so that it outlives the query. */
export interface ColumnPrefs {
  hidden: string[];
  order: string[];
  /** In pixels, for data at the normal size. */
  widths: Record<string, number>;
  /** How numbers and times are shown; as they are stored if nothing has been chosen. */
  formats?: Formats;
  /** How many of the columns that are shown stay in sight when the others scroll. */
  pinned?: number;
  /** Technical columns, hidden by default, that were shown. */
  unhidden?: string[];
  /** The column by whose values the rows are coloured; null for none. */
  coloured?: string | null;
}

export const NO_PREFS: ColumnPrefs = { hidden: [], order: [], widths: {} };

/** A column, and the index of its cells in a row of a page. */
export interface PlacedColumn {
  column: ColumnView;
  index: number;
}

/** The columns of a view in the order of their cells, and the order in which a trader reads them. */
export type Columns = Readonly<Pick<ViewShape, "columns" | "reading_order">>;

/** All columns in the arranged order; columns that are new to the arrangement follow in reading order. */
export function arrange({ columns, reading_order }: Columns, prefs: ColumnPrefs): PlacedColumn[] {
  const placed = columns.map((column, index) => ({ column, index }));
  const rank = new Map(prefs.order.map((path, index) => [path, index]));
  const read = new Map(reading_order.map((place, index) => [place, index]));
  return placed.sort((a, b) => {
    const ranked = (rank.get(a.column.path) ?? rank.size) - (rank.get(b.column.path) ?? rank.size);
    return ranked === 0 ? (read.get(a.index) ?? read.size) - (read.get(b.index) ?? read.size) : ranked;
  });
}

/** Names of fields that programs need and traders do not read. */
const TECHNICAL = /^(?:_id|__v|_class|_etag|.*[_.-]?(?:hash|checksum|digest|md5|sha1|sha256))$/i;

/** Whether a column is of use to programs only, so that it is hidden by default. */
export function isTechnical(path: string): boolean {
  return TECHNICAL.test(path.split(".").at(-1) ?? path);
}

/** Prefs with the columns that are hidden or pinned by default, except those that were shown or unpinned. */
export function withDefaults(
  { columns }: Columns,
  prefs: ColumnPrefs,
  status: string | null = null,
): ColumnPrefs {
  const known = new Set([...prefs.hidden, ...(prefs.unhidden ?? [])]);
  const technical = columns.map(({ path }) => path).filter((path) => isTechnical(path) && !known.has(path));
  // The first column that a trader reads identifies the row.
  return {
    ...prefs,
    hidden: [...prefs.hidden, ...technical],
    pinned: prefs.pinned ?? 1,
    coloured: prefs.coloured === undefined ? status : prefs.coloured,
  };
}

/** Prefs as they are remembered: technical columns that are no longer hidden count as shown. */
export function toRemember({ columns }: Columns, prefs: ColumnPrefs): ColumnPrefs {
  // Reset: they are hidden again.
  if (prefs === NO_PREFS) return prefs;
  const hidden = new Set(prefs.hidden);
  const elsewhere = (prefs.unhidden ?? []).filter((path) => !columns.some((column) => column.path === path));
  const here = columns.map(({ path }) => path).filter((path) => isTechnical(path) && !hidden.has(path));
  const unhidden = [...elsewhere, ...here];
  return unhidden.length === 0 && prefs.unhidden === undefined ? prefs : { ...prefs, unhidden };
}

/** How many columns are pinned. The last one is not: something has to scroll. */
export function pinnedOf(columns: Columns, prefs: ColumnPrefs): number {
  return Math.max(0, Math.min(prefs.pinned ?? 0, shown(columns, prefs).length - 1));
}

export function isPinned(columns: Columns, prefs: ColumnPrefs, path: string): boolean {
  const pinned = shown(columns, prefs).slice(0, pinnedOf(columns, prefs));
  return pinned.some(({ column }) => column.path === path);
}

/** Prefs with a column pinned behind those that are, or no longer pinned and in front of those that never were. */
export function withPinned(columns: Columns, prefs: ColumnPrefs, path: string, on: boolean): ColumnPrefs {
  const visible = shown(columns, prefs).map(({ column }) => column.path);
  const pinned = pinnedOf(columns, prefs);
  const at = visible.indexOf(path);
  if (at < 0 || at < pinned === on) return prefs;
  const rest = visible.filter((held) => held !== path);
  const next = on ? pinned + 1 : pinned - 1;
  rest.splice(on ? pinned : next, 0, path);
  return { ...reorder(columns, prefs, rest), pinned: next };
}

/** The columns that are shown. Hiding all of them would leave nothing to click, so then all are shown. */
export function shown(columns: Columns, prefs: ColumnPrefs): PlacedColumn[] {
  const hidden = new Set(prefs.hidden);
  const visible = arrange(columns, prefs).filter(({ column }) => !hidden.has(column.path));
  return visible.length > 0 ? visible : arrange(columns, prefs);
}

/** What a column is called in the window: its label, or its path. */
export function columnName(column: ColumnView): string {
  return column.label ?? column.path;
}

/** The same of the column with a path, if there is one. */
export function nameIn(columns: readonly ColumnView[] | undefined, path: string): string {
  return columns?.find((column) => column.path === path)?.label ?? path;
}

/** Whether every type seen in a column is a number, so that it is right-aligned. */
export function isRight(column: ColumnView): boolean {
  return column.numeric;
}

/** The width of a character of the data at the normal size. */
const CHAR_PX = 7.3;
const PADDING_PX = 20;

/** The maximum width of automatically fitted columns, in pixels. */
const MAX_FITTED_PX = 340;

/** The maximum for columns fitted on demand: wider than the window would not help. */
const MAX_ASKED_PX = 1200;

/** A text with more characters than this does not make a column wider. */
const MAX_CHARS = 44;

/** A width that fits the heading and the cells of some rows, within bounds; fits the whole text on demand. */
export function fitWidth(
  column: ColumnView,
  index: number,
  sample: readonly (readonly (Cell | undefined)[])[],
  asked = false,
): number {
  const chars = asked ? Infinity : MAX_CHARS;
  let longest = 4;
  for (const row of sample) longest = Math.max(longest, Math.min(row[index]?.length ?? 0, chars));
  // The heading has a narrower font, but also the sort mark.
  const heading = columnName(column).length * 6.8 + 22;
  const width = Math.max(longest * CHAR_PX, heading, 44) + PADDING_PX;
  return Math.round(Math.min(width, asked ? MAX_ASKED_PX : MAX_FITTED_PX));
}

/** Prefs with a different width for one column. */
export function withWidth(prefs: ColumnPrefs, path: string, width: number): ColumnPrefs {
  return { ...prefs, widths: { ...prefs.widths, [path]: width } };
}

/** Prefs without a column. The last one stays: there has to be something to click. */
export function withHidden(columns: Columns, prefs: ColumnPrefs, path: string): ColumnPrefs {
  if (shown(columns, prefs).length <= 1) return prefs;
  return { ...prefs, hidden: [...prefs.hidden.filter((held) => held !== path), path] };
}

/** Prefs with the columns in a new order. Hidden columns keep their place after the one they followed. */
export function reorder(columns: Columns, prefs: ColumnPrefs, visible: readonly string[]): ColumnPrefs {
  const order: string[] = [];
  const all = arrange(columns, prefs).map(({ column }) => column.path);
  const hiddenAfter = new Map<string, string[]>();
  let anchor = "";
  for (const path of all) {
    if (visible.includes(path)) anchor = path;
    else hiddenAfter.set(anchor, [...(hiddenAfter.get(anchor) ?? []), path]);
  }
  order.push(...(hiddenAfter.get("") ?? []));
  for (const path of visible) order.push(path, ...(hiddenAfter.get(path) ?? []));
  return { ...prefs, order };
}

/** The paths with one column moved by one place; unchanged if it is already at the end. */
export function step(visible: readonly string[], path: string, by: -1 | 1): string[] {
  const from = visible.indexOf(path);
  const to = from + by;
  const moved = [...visible];
  if (from < 0 || to < 0 || to >= visible.length) return moved;
  moved.splice(from, 1);
  moved.splice(to, 0, path);
  return moved;
}

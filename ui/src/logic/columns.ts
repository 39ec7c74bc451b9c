// Which columns of a view are shown, in which order, and how wide.

import type { ColumnView } from "../backend";
import type { Cell } from "./tsv";

/** What a trader has arranged; remembered by path, so that it outlives the query. */
export interface ColumnPrefs {
  hidden: string[];
  order: string[];
  /** In pixels, for data of the usual size. */
  widths: Record<string, number>;
}

export const NO_PREFS: ColumnPrefs = { hidden: [], order: [], widths: {} };

/** A column, and where its cells stand in a row of a page. */
export interface PlacedColumn {
  column: ColumnView;
  index: number;
}

/** All columns in the arranged order; columns that are new to the arrangement keep their own place at the end. */
export function arrange(columns: readonly ColumnView[], prefs: ColumnPrefs): PlacedColumn[] {
  const placed = columns.map((column, index) => ({ column, index }));
  const rank = new Map(prefs.order.map((path, index) => [path, index]));
  return placed.sort((a, b) => {
    const ranked = (rank.get(a.column.path) ?? rank.size) - (rank.get(b.column.path) ?? rank.size);
    return ranked === 0 ? a.index - b.index : ranked;
  });
}

/** The columns that are shown. Hiding all of them would leave nothing to click, so then all are shown. */
export function shown(columns: readonly ColumnView[], prefs: ColumnPrefs): PlacedColumn[] {
  const hidden = new Set(prefs.hidden);
  const visible = arrange(columns, prefs).filter(({ column }) => !hidden.has(column.path));
  return visible.length > 0 ? visible : arrange(columns, prefs);
}

/** Whether every type seen in a column is a number, so that it is set right. */
export function isRight(column: ColumnView): boolean {
  return column.numeric;
}

/** Of the data's own face at its usual size. */
const CHAR_PX = 7.3;
const PADDING_PX = 20;

/** Columns that fit themselves grow no wider than this, in pixels. */
const MAX_FITTED_PX = 340;

/** Nor do those that are fitted on demand: wider than the window would help nobody. */
const MAX_ASKED_PX = 1200;

/** Characters beyond which a longer text makes no wider column. */
const MAX_CHARS = 44;

/** A width that fits the heading and the cells of some rows, within bounds; of the whole text if it is asked for. */
export function fitWidth(
  column: ColumnView,
  index: number,
  sample: readonly (readonly Cell[])[],
  asked = false,
): number {
  const chars = asked ? Infinity : MAX_CHARS;
  let longest = 4;
  for (const row of sample) longest = Math.max(longest, Math.min(row[index]?.length ?? 0, chars));
  // The heading is in a narrower face but carries the sort mark.
  const heading = column.path.length * 6.8 + 22;
  const width = Math.max(longest * CHAR_PX, heading, 44) + PADDING_PX;
  return Math.round(Math.min(width, asked ? MAX_ASKED_PX : MAX_FITTED_PX));
}

/** Prefs with one column of another width. */
export function withWidth(prefs: ColumnPrefs, path: string, width: number): ColumnPrefs {
  return { ...prefs, widths: { ...prefs.widths, [path]: width } };
}

/** Prefs without a column. The last one stays: there has to be something to click. */
export function withHidden(columns: readonly ColumnView[], prefs: ColumnPrefs, path: string): ColumnPrefs {
  if (shown(columns, prefs).length <= 1) return prefs;
  return { ...prefs, hidden: [...prefs.hidden.filter((held) => held !== path), path] };
}

/** Prefs with the columns in a new order. Hidden columns keep their place after the one they followed. */
export function reorder(
  columns: readonly ColumnView[],
  prefs: ColumnPrefs,
  visible: readonly string[],
): ColumnPrefs {
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

/** A column one place on; the paths as they are where it is at the end already. */
export function step(visible: readonly string[], path: string, by: -1 | 1): string[] {
  const from = visible.indexOf(path);
  const to = from + by;
  const moved = [...visible];
  if (from < 0 || to < 0 || to >= visible.length) return moved;
  moved.splice(from, 1);
  moved.splice(to, 0, path);
  return moved;
}

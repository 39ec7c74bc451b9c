// The order of rows, in words that suit the column: times are old or new, not small or large.

import type { ColumnView, Role, Sort, ViewShape } from "../../backend";
import { nameIn } from "./columns";

interface Order {
  ascending: string;
  descending: string;
}

const TIMES: Order = { ascending: "oldest first", descending: "newest first" };
const NUMBERS: Order = { ascending: "smallest first", descending: "largest first" };
const TEXTS: Order = { ascending: "A to Z", descending: "Z to A" };
const BOOLS: Order = { ascending: "false first", descending: "true first" };
/** Mixed types, ids, arrays and documents. */
const OTHERS: Order = { ascending: "ascending", descending: "descending" };

const BY_TYPE: Record<string, Order> = { date: TIMES, string: TEXTS, bool: BOOLS };

function orderOf(column: ColumnView | undefined): Order {
  if (column === undefined) return OTHERS;
  if (column.numeric) return NUMBERS;
  // Missing values do not count: a column of times that lacks some is still a column of times.
  const types = column.types.filter((type) => type !== "null");
  const [only] = types;
  return (types.length === 1 && only !== undefined ? BY_TYPE[only] : undefined) ?? OTHERS;
}

/** "oldest first", "Z to A": how a column orders the rows. */
export function orderWord(column: ColumnView | undefined, descending: boolean): string {
  const order = orderOf(column);
  return descending ? order.descending : order.ascending;
}

/** "price, largest first": a sort in words. */
function sortText(columns: readonly ColumnView[], { path, descending }: Sort): string {
  const column = columns.find((one) => one.path === path);
  return `${nameIn(columns, path)}, ${orderWord(column, descending)}`;
}

/** "Sorted by price, largest first, then by day, oldest first" */
export function sortedText(columns: readonly ColumnView[], sorts: readonly Sort[]): string {
  if (sorts.length === 0) return "Not sorted";
  return `Sorted by ${sorts.map((sort) => sortText(columns, sort)).join(", then by ")}`;
}

/** The order of rows that are not sorted. */
export function naturalOrder(role: Role, shape: ViewShape): string {
  const day = role === "input" ? "by day" : "by trade day";
  return shape.time_column === null ? day : `${day} and time`;
}

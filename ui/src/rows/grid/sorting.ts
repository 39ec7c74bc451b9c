// Which columns order the rows, the most significant first, after a click, a key or a menu.

import type { Sort } from "../../backend";

/** Sorts by a column alone or, as a further one, after the others; a column that sorts already keeps its rank. */
export function sortBy(sorts: readonly Sort[], sort: Sort, further: boolean): Sort[] {
  if (!further) return [sort];
  const sorted = sorts.some(({ path }) => path === sort.path);
  return sorted ? sorts.map((held) => (held.path === sort.path ? sort : held)) : [...sorts, sort];
}

/** The sorts without a column. */
export function withoutSort(sorts: readonly Sort[], path: string): Sort[] {
  return sorts.filter((sort) => sort.path !== path);
}

/**
 * The sorts after a click on a heading: ascending, descending, off. A click on one of several sorted columns sorts by it
 * alone.
 */
export function clickSort(sorts: readonly Sort[], path: string, further: boolean): Sort[] {
  const held = sorts.find((sort) => sort.path === path);
  if (held === undefined || (!further && sorts.length > 1)) {
    return sortBy(sorts, { path, descending: false }, further);
  }
  return held.descending ? withoutSort(sorts, path) : sortBy(sorts, { path, descending: true }, further);
}

/** The commands that sort by a column or stop doing so. */
export type SortCommand = "sort_up" | "sort_down" | "then_sort_up" | "then_sort_down" | "then_sort_off";

/** The sorts after a command for a column. */
export function commandSort(command: SortCommand, sorts: readonly Sort[], path: string): Sort[] {
  switch (command) {
    case "sort_up":
    case "sort_down":
      return sortBy(sorts, { path, descending: command === "sort_down" }, false);
    case "then_sort_up":
    case "then_sort_down":
      return sortBy(sorts, { path, descending: command === "then_sort_down" }, true);
    case "then_sort_off":
      return withoutSort(sorts, path);
  }
}

/** The place of a column among those that order the rows, from 1; null if there is nothing to tell apart. */
export function rankOf(sorts: readonly Sort[], path: string): number | null {
  const at = sorts.findIndex((sort) => sort.path === path);
  return at < 0 || sorts.length < 2 ? null : at + 1;
}

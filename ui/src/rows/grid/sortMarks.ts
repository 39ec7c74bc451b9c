// How the headings show the order of the rows. SlickGrid draws the arrows; the rest is done here.

import type { ColumnSort } from "slickgrid";

import type { Sort } from "../../backend";
import { rankOf } from "./sorting";

/** The sorts as SlickGrid takes them. */
export function toGridSorts(sorts: readonly Sort[]): ColumnSort[] {
  return sorts.map(({ path, descending }) => ({ columnId: path, sortAsc: !descending }));
}

/** Sets the direction of a heading for screen readers, and its rank if several columns order the rows. */
export function markOrder(heading: HTMLElement, sorts: readonly Sort[]): void {
  const path = heading.dataset.path ?? "";
  const sort = sorts.find((held) => held.path === path);
  heading.setAttribute(
    "aria-sort",
    sort === undefined ? "none" : sort.descending ? "descending" : "ascending",
  );
  heading.querySelector(".sort-rank")?.remove();
  const rank = rankOf(sorts, path);
  heading.toggleAttribute("data-ranked", rank !== null);
  if (rank === null) return;
  const mark = document.createElement("span");
  mark.className = "sort-rank";
  const what = document.createElement("span");
  what.className = "visually-hidden";
  what.textContent = "sort ";
  mark.append(what, String(rank));
  // After the arrow, and before the handle, which lies over it.
  heading.querySelector(".slick-sort-indicator")?.after(mark);
}

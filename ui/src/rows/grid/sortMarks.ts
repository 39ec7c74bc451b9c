// How the headings show the order of the rows. SlickGrid draws the arrows; the rest is done here.

import type { ColumnSort } from "slickgrid";

import type { Sort } from "../../backend";
import type { TableGrid } from "./createGrid";
import { rankOf } from "./sorting";

/** The sorts as SlickGrid takes them. */
function toGridSorts(sorts: readonly Sort[]): ColumnSort[] {
  return sorts.map(({ path, descending }) => ({ columnId: path, sortAsc: !descending }));
}

/** Shows the sorts in the headings of a grid, and how many rows and columns it has to screen readers. */
export function markHeadings(
  grid: TableGrid,
  host: HTMLElement,
  sorts: readonly Sort[],
  length: number,
): void {
  grid.setSortColumns(toGridSorts(sorts));
  host.querySelectorAll<HTMLElement>("[role=columnheader]").forEach((heading, at) => {
    markOrder(heading, sorts);
    heading.setAttribute("aria-colindex", String(at + 1));
  });
  host.querySelector(".slick-header-columns")?.setAttribute("aria-rowindex", "1");
  // The heading is a row, too.
  host.setAttribute("aria-rowcount", String(length + 1));
  host.setAttribute("aria-colcount", String(grid.getColumns().length));
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

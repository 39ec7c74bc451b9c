// The regions of the window, and how the keyboard gets into each.

export type Region = "top" | "side" | "plan" | "rows" | "detail";

/** In the order of F6. */
const ORDER: Region[] = ["top", "side", "plan", "rows", "detail"];

/** The element that gets the focus, the most useful first. */
const ENTRANCES: Record<Region, readonly string[]> = {
  top: ["[data-testid=source-button]"],
  side: ["[role=tab][aria-selected=true]"],
  plan: ["[data-testid=fetch-button]"],
  rows: [".grid-host [tabindex='0']", ".grid-host[tabindex='0']", "[role=tab][aria-selected=true]"],
  detail: ["[data-testid=row-detail-text]"],
};

/** Focuses a region; false if it does not exist now. */
export function focusRegion(region: Region): boolean {
  const host = document.querySelector<HTMLElement>(`[data-region=${region}]`);
  if (host === null || host.hidden) return false;
  for (const selector of ENTRANCES[region]) {
    const entrance = host.querySelector<HTMLElement>(selector);
    if (entrance === null) continue;
    // The grid keeps its own scroll position, but the window may have to scroll to the grid.
    host.scrollIntoView?.({ block: "nearest" });
    entrance.focus();
    return true;
  }
  return false;
}

/** Focuses the next existing region, or the previous one. */
export function stepRegion(by: 1 | -1): void {
  const now = document.activeElement?.closest<HTMLElement>("[data-region]")?.dataset.region;
  const from = ORDER.findIndex((region) => region === now);
  const start = from < 0 && by < 0 ? 0 : from;
  for (let step = 1; step <= ORDER.length; step += 1) {
    const region = ORDER[(start + by * step + ORDER.length * 2) % ORDER.length];
    if (region !== undefined && focusRegion(region)) return;
  }
}

// How the columns of a source are laid out: as they are now, and under names to switch to.

import type { Role } from "../backend";
import type { ColumnPrefs } from "./grid/columns";

interface Layouts {
  now: ColumnPrefs;
  /** The layout that was switched to or saved last; "" if none was. */
  name: string;
  named: Record<string, ColumnPrefs>;
}

/** The layouts of each source and each tab of it. */
export type SourceLayouts = Record<string, Partial<Record<Role, Layouts>>>;

export const NO_LAYOUTS: SourceLayouts = {};

/** The layouts of a tab of a source; `fallback` is what an earlier version remembered for all sources. */
export function layoutsOf(all: SourceLayouts, source: string, role: Role, fallback: ColumnPrefs): Layouts {
  return all[source]?.[role] ?? { now: fallback, name: "", named: {} };
}

export function withLayouts(all: SourceLayouts, source: string, role: Role, layouts: Layouts): SourceLayouts {
  return { ...all, [source]: { ...all[source], [role]: layouts } };
}

/** The columns have been changed. The named layout stays as it was saved. */
export function arranged(layouts: Layouts, now: ColumnPrefs): Layouts {
  return { ...layouts, now };
}

/** The columns as they are now, under a name. */
export function saved(layouts: Layouts, name: string): Layouts {
  const called = name.trim();
  if (called === "") return layouts;
  return { ...layouts, name: called, named: { ...layouts.named, [called]: layouts.now } };
}

/** A named layout; unchanged if there is none of the name. */
export function switched(layouts: Layouts, name: string): Layouts {
  const now = layouts.named[name];
  return now === undefined ? layouts : { ...layouts, now, name };
}

/** Without a named layout. The columns stay as they are. */
export function deleted(layouts: Layouts, name: string): Layouts {
  const named = Object.fromEntries(Object.entries(layouts.named).filter(([held]) => held !== name));
  return { ...layouts, named, name: layouts.name === name ? "" : layouts.name };
}

/** Whether the columns are no longer as the layout was saved. */
export function isChanged({ now, name, named }: Layouts): boolean {
  return name !== "" && JSON.stringify(named[name]) !== JSON.stringify(now);
}

export type { Layouts };

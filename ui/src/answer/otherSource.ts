// Whether the rows on the screen come from the active source.

import type { SourceName } from "../backend";

/** Where rows come from; null if it is the active source with its mapping. */
export function otherSourceText(rows: SourceName, active: SourceName | null): string | null {
  if (rows.key === active?.key) return null;
  return rows.name === active?.name ? "cached under a different mapping" : `cached from ${rows.name}`;
}

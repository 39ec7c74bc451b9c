// What the grid is given to show, and what it tells the window.

import type { ColumnView, Sort } from "../backend";
import type { ColumnPrefs } from "../logic/columns";
import type { Selected } from "../logic/selection";
import type { ReadPage } from "./lazyRows";

export interface Content {
  /** Other query: other values, so the columns are fitted anew. Another order leaves their widths as they are. */
  query: string;
  /** Other identity: other rows altogether, so the grid goes back to the top. */
  identity: string;
  /** Same identity, other stamp: the same rows as of a later time, so the place is kept. */
  stamp: string;
  columns: readonly ColumnView[];
  length: number;
  /** The state of the cache file that columns and length belong to. */
  generation: number;
  read: ReadPage;
}

/** Where a menu is asked for: on the screen, and in the rows. */
export interface MenuAt {
  x: number;
  y: number;
  path: string;
  /** None on a heading. */
  row: number | null;
}

export interface Handlers {
  sort: (sort: Sort | null) => void;
  prefs: (prefs: ColumnPrefs) => void;
  open: (position: number) => void;
  active: (position: number) => void;
  /** What a copy would hold now. */
  selected: (selected: Selected) => void;
  copy: (text: string, copied: Selected) => void;
  /** A copy of this many rows has begun; `copy` or `copyFailed` reports how it ended. */
  copying: (rows: number) => void;
  menu: (at: MenuAt) => void;
  /** What a key has done that is seen and not heard. */
  said: (text: string) => void;
  /** Rows came of a later state than the columns: both have to be read again. */
  outdated: () => void;
  /** A page could not be read; none says that pages are read again. */
  reading: (error: unknown) => void;
  copyFailed: (error: unknown) => void;
}

// What the grid is given to show, and what it reports to the window.

import type { Sort } from "../../backend";
import type { Zones } from "./cellFormat";
import type { ColumnPrefs, Columns } from "./columns";
import type { AskedCommand } from "./gridKeys";
import type { ReadPage, Row } from "./lazyRows";
import type { Selected } from "./selection";

export interface Content extends Columns {
  /** A different query has different values, so the columns are fitted again. A different order keeps their widths. */
  query: string;
  /** A different identity means different rows, so the grid goes back to the top. */
  identity: string;
  /** The same identity with a different stamp means the same rows at a later time, so the position is kept. */
  stamp: string;
  /** The zone in which the tooltip of a cell reads a time. */
  zone: string;
  /** The zones in which times can be shown. */
  zones: Zones;
  length: number;
  /** The state of the cache file that columns and length belong to. */
  generation: number;
  read: ReadPage;
}

/** The field that filters by a column. */
export interface FilterCell {
  /** What is typed, applied or refused. */
  text: string;
  /** What narrows the column instead of a text: "3 values". */
  note: string;
  /** Why the text cannot be used. */
  mistake: string | null;
}

/** The fields under the headings. A column that is not among the cells has a blank one. */
export interface FilterFields {
  shown: boolean;
  cells: Readonly<Record<string, FilterCell>>;
}

/** A cell of the rows. */
export interface At {
  row: number;
  path: string;
}

/** Where a menu is to open: on the screen, and in the rows. */
export interface MenuAt {
  x: number;
  y: number;
  path: string;
  /** Null on a heading. */
  row: number | null;
}

/** The cells that are selected. */
export interface SelectedCells {
  /** How many rows. */
  rows: number;
  /** The places of their cells in a row. */
  places: number[];
  read: () => Promise<Row[]>;
}

export interface Handlers {
  sort: (sorts: Sort[]) => void;
  prefs: (prefs: ColumnPrefs) => void;
  /** A text was typed as the filter of a column. */
  filter: (path: string, text: string) => void;
  open: (position: number) => void;
  active: (position: number, path: string | null) => void;
  /** What a copy would contain now. */
  selected: (selected: Selected) => void;
  copy: (text: string, copied: Selected) => void;
  /** A copy of this many rows has begun; `copy` or `copyFailed` reports how it ended. */
  copying: (rows: number) => void;
  menu: (at: MenuAt) => void;
  /** A command for a cell or a column that the grid leaves to the window. */
  ask: (command: AskedCommand, at: { row: number | null; path: string }) => void;
  /** What a key has done, for screen readers. */
  announce: (text: string) => void;
  /** Rows of a later state than the columns have arrived: both have to be read again. */
  outdated: () => void;
  /** A page could not be read; null if pages can be read again. */
  reading: (error: unknown) => void;
  copyFailed: (error: unknown) => void;
}

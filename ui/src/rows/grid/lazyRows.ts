// The rows of a view as the grid sees them: read page by page, and only the rows and columns on the screen. A sorted page
// of a long answer comes from many tables, and the time it takes grows with the columns that are read.

import { PAGE_ROWS, PageCache, placed } from "./pageCache";
import { colourOf } from "./rowColours";
import type { Cell } from "./tsv";

/** A row, by the places of its columns. A cell that has not been read is undefined. */
export type Row = readonly (Cell | undefined)[];

/** Rows, and the state of the cache file that they were read from. */
export interface ReadRows {
  /** Their cells are those of the requested places, in that order. */
  rows: readonly (readonly Cell[])[];
  generation: number;
}

export type ReadPage = (offset: number, limit: number, places: readonly number[]) => Promise<ReadRows>;

interface Listener {
  /** Rows from first to last (inclusive) have arrived. */
  arrived: (first: number, last: number) => void;
  /** A page came from a later state of the file than the columns: its cells may belong to other columns. */
  outdated: () => void;
  failed: (error: unknown) => void;
}

/** The rows have changed while they were copied. */
export class RowsChanged extends Error {}

/** Concurrent requests: a page is read in milliseconds, and more would only queue in the backend. */
const MAX_IN_FLIGHT = 3;

export class LazyRows {
  #length = 0;
  #read: ReadPage | null = null;
  readonly #cache = new PageCache<Cell>();
  readonly #inFlight = new Set<number>();
  /** The state of the file that the columns and the length were read from. */
  #generation = 0;
  // Grows when the rows change, so that a late page of the old rows is discarded.
  #resets = 0;
  #first = 0;
  #last = -1;
  /** The columns on the screen, by their places. */
  #places: readonly number[] = [];
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Switches to other rows: a different view, a different order, or the same view after a change. */
  reset(length: number, generation: number, read: ReadPage): void {
    this.#resets += 1;
    this.#length = length;
    this.#generation = generation;
    this.#read = read;
    this.#cache.clear();
    this.#inFlight.clear();
  }

  /** The place of the cells that colour the rows; below zero for none. */
  colouredBy = -1;

  /** The grid asks how a row looks. */
  getItemMetadata(position: number): { cssClasses: string } | null {
    if (this.colouredBy < 0) return null;
    const colour = colourOf(this.#cache.row(position)?.[this.colouredBy]);
    return colour === null ? null : { cssClasses: colour.tone };
  }

  // The grid calls these two.
  getLength(): number {
    return this.#length;
  }

  /** The row, or undefined while its page is loading; the grid then draws a placeholder. */
  getItem(position: number): Row | undefined {
    return this.#cache.row(position);
  }

  /**
   * Sets which rows and which columns are on the screen. Only those are read: dragging through millions of rows reads
   * only where it ends.
   */
  look(first: number, last: number, places: readonly number[]): void {
    this.#first = Math.max(0, first);
    this.#last = Math.min(last, this.#length - 1);
    this.#places =
      this.colouredBy < 0 || places.includes(this.colouredBy) ? places : [...places, this.colouredBy];
    this.#pump();
  }

  #pump(): void {
    if (this.#read === null || this.#last < this.#first) return;
    const to = PageCache.pageOf(this.#last);
    for (let page = PageCache.pageOf(this.#first); page <= to; page += 1) {
      if (this.#inFlight.size >= MAX_IN_FLIGHT) return;
      const missing = this.#cache.missing(page, this.#places);
      if (missing.length > 0 && !this.#inFlight.has(page)) this.#fetch(page, missing, this.#read);
    }
  }

  #fetch(page: number, places: readonly number[], read: ReadPage): void {
    const resets = this.#resets;
    const offset = page * PAGE_ROWS;
    this.#inFlight.add(page);
    read(offset, PAGE_ROWS, places).then(
      ({ rows, generation }) => {
        if (resets !== this.#resets) return;
        if (generation !== this.#generation) {
          // It stays in flight: until the columns have been read again, a second request would bring the same.
          this.#listener.outdated();
          return;
        }
        this.#inFlight.delete(page);
        this.#cache.put(page, rows, places);
        this.#listener.arrived(offset, offset + rows.length - 1);
        this.#pump();
      },
      (error: unknown) => {
        if (resets !== this.#resets) return;
        this.#inFlight.delete(page);
        this.#listener.failed(error);
      },
    );
  }

  /** The cells of some columns of a range of rows, read if necessary. For copying, so they are not put into the page cache. */
  async range(first: number, last: number, places: readonly number[]): Promise<Row[]> {
    const read = this.#read;
    if (read === null) return [];
    const resets = this.#resets;
    const rows: Row[] = [];
    for (let at = first; at <= last;) {
      const held = this.#cache.row(at);
      if (held !== undefined && places.every((place) => held[place] !== undefined)) {
        rows.push(held);
        at += 1;
        continue;
      }
      const wanted = Math.min(last - at + 1, 5000);
      const got = await read(at, wanted, places);
      if (resets !== this.#resets) throw new RowsChanged();
      if (got.generation !== this.#generation) {
        this.#listener.outdated();
        throw new RowsChanged();
      }
      // Fewer rows than selected would not be a copy of the selection.
      if (got.rows.length === 0) throw new RowsChanged();
      rows.push(...got.rows.map((cells) => placed(cells, places)));
      at += got.rows.length;
    }
    return rows;
  }
}

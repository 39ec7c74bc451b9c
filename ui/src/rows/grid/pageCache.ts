// Pages of rows that have been read, the least recently used dropped first. Of each page only some columns may have been
// read.

export const PAGE_ROWS = 50;

/** The cells of a row by the places of their columns. */
export function placed<Cell>(cells: readonly Cell[], places: readonly number[]): (Cell | undefined)[] {
  const row: (Cell | undefined)[] = [];
  places.forEach((place, at) => (row[place] = cells[at]));
  return row;
}

/** The cells of a whole row at some places. */
export function cellsAt<Cell>(row: readonly Cell[], places: readonly number[]): (Cell | null)[] {
  return places.map((place) => row[place] ?? null);
}

interface ReadPart<Cell> {
  rows: (Cell | undefined)[][];
  /** The places of the columns that have been read. */
  places: Set<number>;
}

export class PageCache<Cell> {
  // A Map keeps the order of insertion, so the first key is the least recently used.
  readonly #pages = new Map<number, ReadPart<Cell>>();
  readonly #limit: number;

  constructor(limit = 60) {
    this.#limit = limit;
  }

  /** The page that holds a row. */
  static pageOf(position: number): number {
    return Math.floor(position / PAGE_ROWS);
  }

  /** The row, if some of its cells have been read. */
  row(position: number): readonly (Cell | undefined)[] | undefined {
    const number = PageCache.pageOf(position);
    const page = this.#pages.get(number);
    if (page === undefined) return undefined;
    this.#touch(number, page);
    return page.rows[position - number * PAGE_ROWS];
  }

  /** Those of some columns that have not been read of a page. */
  missing(page: number, places: readonly number[]): readonly number[] {
    const held = this.#pages.get(page);
    return held === undefined ? places : places.filter((place) => !held.places.has(place));
  }

  /** Adds the cells of some columns to a page. */
  put(page: number, rows: readonly (readonly Cell[])[], places: readonly number[]): void {
    const held = this.#pages.get(page);
    // Of one state of the file, a page always has the same rows.
    if (held?.rows.length === rows.length) {
      held.rows.forEach((row, at) => places.forEach((place, index) => (row[place] = rows[at]?.[index])));
      for (const place of places) held.places.add(place);
      this.#touch(page, held);
    } else {
      this.#touch(page, { rows: rows.map((cells) => placed(cells, places)), places: new Set(places) });
    }
    while (this.#pages.size > this.#limit) {
      const oldest = this.#pages.keys().next().value;
      if (oldest === undefined) return;
      this.#pages.delete(oldest);
    }
  }

  clear(): void {
    this.#pages.clear();
  }

  get size(): number {
    return this.#pages.size;
  }

  #touch(number: number, page: ReadPart<Cell>): void {
    this.#pages.delete(number);
    this.#pages.set(number, page);
  }
}

// Pages of rows that have been read, the least recently used dropped first.

export const PAGE_ROWS = 200;

export class PageCache<Row> {
  // A Map keeps the order of insertion, so the first key is the least recently used.
  readonly #pages = new Map<number, Row[]>();
  readonly #limit: number;

  constructor(limit = 60) {
    this.#limit = limit;
  }

  /** The page that holds a row. */
  static pageOf(position: number): number {
    return Math.floor(position / PAGE_ROWS);
  }

  /** The row, if its page has been read. */
  row(position: number): Row | undefined {
    const number = PageCache.pageOf(position);
    const page = this.#pages.get(number);
    if (page === undefined) return undefined;
    this.#touch(number, page);
    return page[position - number * PAGE_ROWS];
  }

  has(page: number): boolean {
    return this.#pages.has(page);
  }

  put(page: number, rows: Row[]): void {
    this.#touch(page, rows);
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

  #touch(number: number, page: Row[]): void {
    this.#pages.delete(number);
    this.#pages.set(number, page);
  }
}

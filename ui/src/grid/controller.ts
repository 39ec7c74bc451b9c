// Keeps one SlickGrid in step with what the window wants shown. Knows no React.

import type { SlickEventData } from "slickgrid";

import type { ColumnView, Sort } from "../backend";
import { type ColumnPrefs, fitWidth, reorder, shown, step } from "../logic/columns";
import { count } from "../logic/format";
import { copyRefusal, type Selected, selectedOf } from "../logic/selection";
import { toTsv } from "../logic/tsv";
import { createGrid, MIN_WIDTH, type TableGrid, toTableColumns } from "./createGrid";
import { type GridKey, gridKey } from "./gridKeys";
import { LazyRows, type ReadPage } from "./lazyRows";
import type { SpreadsheetSelection } from "./selectionModel";

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

export interface Handlers {
  sort: (sort: Sort | null) => void;
  prefs: (prefs: ColumnPrefs) => void;
  open: (position: number) => void;
  active: (position: number) => void;
  /** What a copy would hold now. */
  selected: (selected: Selected) => void;
  copy: (text: string, rows: number) => void;
  /** What a key has done that is seen and not heard. */
  said: (text: string) => void;
  /** Rows came of a later state than the columns: both have to be read again. */
  outdated: () => void;
  /** A page could not be read; none says that pages are read again. */
  reading: (error: unknown) => void;
  copyFailed: (error: unknown) => void;
}

/** How much wider or narrower one key makes a column. */
const WIDTH_STEP = 16;

/** Scrolling pauses this long before pages are read. */
const LOOK_MS = 20;

/** More rows than this take a moment to read, and one is told so. */
const SLOW_COPY = 5000;

/** Rows that widths are measured on. */
const SAMPLE = 60;

export class GridController {
  readonly #grid: TableGrid;
  readonly #selection: SpreadsheetSelection;
  readonly #rows: LazyRows;
  readonly #observer: ResizeObserver;
  readonly #host: HTMLElement;
  #handlers: Handlers;
  #content: Content | null = null;
  #prefs: ColumnPrefs;
  #sort: Sort | null = null;
  #fitted = new Map<string, number>();
  #fit = false;
  #columnsDrawn = "";
  #follow: string | null = null;
  #lookTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(host: HTMLElement, handlers: Handlers, prefs: ColumnPrefs) {
    this.#host = host;
    this.#handlers = handlers;
    this.#prefs = prefs;
    this.#rows = new LazyRows({
      arrived: (first, last) => {
        this.#handlers.reading(null);
        this.#arrived(first, last);
      },
      outdated: () => this.#handlers.outdated(),
      failed: (error) => this.#handlers.reading(error),
    });
    const { grid, selection } = createGrid(host, this.#rows);
    this.#grid = grid;
    this.#selection = selection;
    this.#wire();
    host.addEventListener(
      "keydown",
      (event) => {
        // Tab leaves the grid, as it leaves any other control; the arrows walk its cells. The grid would
        // walk all of its cells with Tab, which nobody gets out of.
        if (event.key === "Tab") event.stopPropagation();
      },
      true,
    );
    this.#observer = new ResizeObserver(() => {
      this.#grid.resizeCanvas();
      this.#lookSoon();
    });
    this.#observer.observe(host);
  }

  setHandlers(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  show(content: Content, prefs: ColumnPrefs, sort: Sort | null): void {
    const before = this.#content;
    const moved = before?.identity !== content.identity;
    const renewed = moved || before?.stamp !== content.stamp || before.generation !== content.generation;
    this.#content = content;
    this.#prefs = prefs;
    this.#sort = sort;
    if (before?.query !== content.query) this.#fit = false;
    if (renewed) this.#rows.reset(content.length, content.generation, content.read);
    this.#grid.keepingFocus(() => this.#drawColumns());
    this.#grid.setSortColumns(sort === null ? [] : [{ columnId: sort.path, sortAsc: !sort.descending }]);
    this.#host.querySelectorAll<HTMLElement>("[role=columnheader]").forEach((heading, at) => {
      this.#tellOrder(heading);
      heading.setAttribute("aria-colindex", String(at + 1));
    });
    this.#host.querySelector(".slick-header-columns")?.setAttribute("aria-rowindex", "1");
    // The heading is a row, too.
    this.#host.setAttribute("aria-rowcount", String(content.length + 1));
    this.#host.setAttribute("aria-colcount", String(this.#grid.getColumns().length));
    if (!renewed) return;
    if (moved) this.#redraw(content.length);
    else this.#grid.keepingFocus(() => this.#grid.invalidate());
    this.#selection.refreshSelections();
    this.#lookSoon();
  }

  /** Draws other rows from the top. The keyboard stays in its column: a sort by key is often followed by another. */
  #redraw(length: number): void {
    const grid = this.#grid;
    const at = grid.hasFocus() ? grid.getActiveCell() : null;
    grid.keepingFocus(() => {
      grid.resetActiveCell();
      this.#selection.setSelectedRanges([]);
      grid.invalidate();
      if (length === 0) return;
      grid.scrollRowToTop(0);
      if (at !== null) grid.setActiveCell(0, Math.min(at.cell, grid.getColumns().length - 1));
    });
  }

  /** Takes the keyboard back, at the row that was active. */
  focus(): void {
    this.#grid.focus();
  }

  destroy(): void {
    this.#observer.disconnect();
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer);
    this.#rows.reset(0, 0, () => Promise.resolve({ rows: [], generation: 0 }));
    this.#grid.destroy(true);
  }

  #drawColumns(): void {
    const content = this.#content;
    if (content === null) return;
    const placed = shown(content.columns, this.#prefs);
    const width = (path: string, index: number) => {
      const column = content.columns[index];
      const guess = column === undefined ? 100 : fitWidth(column, index, []);
      return this.#prefs.widths[path] ?? this.#fitted.get(path) ?? guess;
    };
    const columns = toTableColumns(placed, (entry) => width(entry.column.path, entry.index));
    const drawn = JSON.stringify(
      columns.map((column) => [column.id, column.field, column.width, column.cssClass]),
    );
    if (drawn === this.#columnsDrawn) return;
    this.#columnsDrawn = drawn;
    const row = this.#grid.getActiveCell()?.row;
    const ids = (of: readonly { id: number | string }[]) => JSON.stringify(of.map(({ id }) => id));
    // A selection is kept by place: among columns that move, come or go it would cover others.
    if (ids(columns) !== ids(this.#grid.getColumns())) this.#selection.collapse();
    this.#grid.setColumns(columns);
    // A column that was moved by a key keeps the keyboard, so that the key can be pressed again.
    const cell = columns.findIndex((column) => column.id === this.#follow);
    this.#follow = null;
    if (row !== undefined && cell >= 0) this.#grid.setActiveCell(row, cell);
  }

  #arrived(first: number, last: number): void {
    if (!this.#fit && this.#content !== null) this.#fitTo(this.#content, first);
    const touched: number[] = [];
    const range = this.#grid.getRenderedRange();
    for (let row = Math.max(first, range.top); row <= Math.min(last, range.bottom); row += 1)
      touched.push(row);
    if (touched.length === 0) return;
    this.#grid.keepingFocus(() => {
      this.#grid.invalidateRows(touched);
      this.#grid.render();
    });
  }

  #fitTo(content: Content, first: number): void {
    this.#fit = true;
    const sample = Array.from({ length: SAMPLE }, (_, index) => this.#rows.getItem(first + index) ?? []);
    this.#fitted = new Map(
      content.columns.map((column, index) => [column.path, fitWidth(column, index, sample)]),
    );
    this.#drawColumns();
  }

  #lookSoon(): void {
    this.#lookTimer ??= setTimeout(() => {
      this.#lookTimer = null;
      const range = this.#grid.getRenderedRange();
      this.#rows.look(range.top, range.bottom);
    }, LOOK_MS);
  }

  #wire(): void {
    const grid = this.#grid;
    grid.onViewportChanged.subscribe(() => this.#lookSoon());
    grid.onScroll.subscribe(() => this.#lookSoon());
    grid.onRendered.subscribe(() => this.#lookSoon());
    grid.onSort.subscribe((_event, args) => {
      const path = "sortCol" in args && args.sortCol ? String(args.sortCol.id) : null;
      if (path === null) return;
      // Ascending, descending, off: the third click gives the stored order back.
      const off = this.#sort?.path === path && this.#sort.descending;
      this.#handlers.sort(off ? null : { path, descending: !("sortAsc" in args && args.sortAsc) });
    });
    grid.onColumnsResized.subscribe(() => {
      const widths = { ...this.#prefs.widths };
      for (const column of grid.getColumns()) {
        const path = String(column.id);
        // Only what the trader has moved is remembered; the rest goes on fitting itself.
        if (
          column.width !== undefined &&
          column.width !== column.previousWidth &&
          column.width !== this.#fitted.get(path)
        ) {
          widths[path] = column.width;
        }
      }
      this.#handlers.prefs({ ...this.#prefs, widths });
    });
    grid.onColumnsReordered.subscribe(() => {
      if (this.#content === null) return;
      const visible = grid.getColumns().map((column) => String(column.id));
      this.#columnsDrawn = "";
      this.#handlers.prefs(reorder(this.#content.columns, this.#prefs, visible));
    });
    grid.onHeaderCellRendered.subscribe((_event, args) => {
      args.node.setAttribute("role", "columnheader");
      args.node.dataset.path = String(args.column.id);
      this.#tellOrder(args.node);
    });
    grid.onDblClick.subscribe((_event, args) => this.#handlers.open(args.row));
    grid.onActiveCellChanged.subscribe((_event, args) => {
      if (typeof args.row === "number") this.#handlers.active(args.row);
    });
    this.#selection.onSelectedRangesChanged.subscribe(() =>
      this.#handlers.selected(selectedOf(this.#selection.range())),
    );
    grid.onKeyDown.subscribe((event, args) => this.#pressed(event, args.row, args.cell));
    // Coming in with the Tab key there is no active cell yet, and the arrows would move nothing.
    this.#host.addEventListener("focusin", () => {
      if (grid.getActiveCell() === null && grid.getDataLength() > 0 && !this.#host.matches(":active")) {
        grid.setActiveCell(grid.getViewport().top, 0);
      }
    });
  }

  #pressed(event: SlickEventData, row: number | undefined, cell: number | undefined): void {
    const native = event.getNativeEvent<KeyboardEvent>();
    const key = gridKey(native);
    if (key === null) return;
    native.preventDefault();
    event.stopImmediatePropagation();
    const path = typeof cell === "number" ? this.#grid.getColumns()[cell]?.id : undefined;
    if (key === "open" && typeof row === "number") this.#handlers.open(row);
    else if (key === "copy" || key === "copy_with_heading") void this.#copy(key === "copy_with_heading");
    else if (key === "sort_off") {
      this.#handlers.sort(null);
      this.#handlers.said("In order of arrival");
    } else if (key !== "open" && path !== undefined) this.#arrange(key, String(path));
  }

  #arrange(key: GridKey, path: string): void {
    if (key === "sort_up" || key === "sort_down") {
      this.#handlers.sort({ path, descending: key === "sort_down" });
      this.#handlers.said(`Sorted by ${path}, ${key === "sort_down" ? "descending" : "ascending"}`);
    } else if (key === "narrower" || key === "wider") {
      this.#resize(path, key === "wider" ? WIDTH_STEP : -WIDTH_STEP);
    } else if (key === "move_left" || key === "move_right") {
      this.#move(path, key === "move_right" ? 1 : -1);
    }
  }

  #resize(path: string, by: number): void {
    const width = this.#grid.getColumns().find((column) => column.id === path)?.width;
    if (width === undefined) return;
    const wanted = Math.max(MIN_WIDTH, width + by);
    this.#handlers.prefs({ ...this.#prefs, widths: { ...this.#prefs.widths, [path]: wanted } });
    this.#handlers.said(`${path} is ${wanted} pixels wide`);
  }

  #move(path: string, by: -1 | 1): void {
    if (this.#content === null) return;
    const visible = this.#grid.getColumns().map((column) => String(column.id));
    const moved = step(visible, path, by);
    const place = moved.indexOf(path);
    if (place !== visible.indexOf(path)) {
      this.#follow = path;
      this.#handlers.prefs(reorder(this.#content.columns, this.#prefs, moved));
    }
    this.#handlers.said(`${path} is column ${place + 1} of ${moved.length}`);
  }

  /** The order of the rows, for who cannot see the mark in the heading. */
  #tellOrder(heading: HTMLElement): void {
    const sorted = this.#sort !== null && heading.dataset.path === this.#sort.path;
    const way = this.#sort?.descending ? "descending" : "ascending";
    heading.setAttribute("aria-sort", sorted ? way : "none");
  }

  async #copy(heading: boolean): Promise<void> {
    const range = this.#selection.range();
    if (range === null) return;
    const selected = selectedOf(range);
    const refusal = copyRefusal(selected);
    if (refusal !== null) return this.#handlers.said(refusal);
    const columns = this.#grid.getColumns().slice(range.fromCell, range.toCell + 1);
    const places = columns.map((column) => Number(column.field));
    const names = columns.map((column) => String(column.id));
    if (selected.rows > SLOW_COPY) this.#handlers.said(`Copying ${count(selected.rows)} rows`);
    try {
      const rows = await this.#rows.range(range.fromRow, range.toRow);
      const single = rows.length === 1 && places.length === 1 && !heading;
      // One cell is copied as it is, without the quotes that a table needs.
      const text = single ? (rows[0]?.[places[0] ?? 0] ?? "") : toTsv(rows, places, heading ? names : null);
      this.#handlers.copy(text, rows.length);
    } catch (error) {
      this.#handlers.copyFailed(error);
    }
  }
}

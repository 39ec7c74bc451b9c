// Keeps one SlickGrid in sync with what the window wants to show. Knows no React.

import type { SlickEventData } from "slickgrid";

import type { Sort } from "../../backend";
import { NO_FORMATS } from "./cellFormat";
import { type ColumnPrefs, pinnedOf, reorder, shown } from "./columns";
import { activeAt, pathAt, pointedAt } from "./cellAt";
import { ColumnCommands } from "./columnCommands";
import { ColumnWidths } from "./columnWidths";
import type { At, Content, FilterFields, Handlers, SelectedCells } from "./contract";
import { copySelection, isCopy } from "./copySelection";
import { createGrid, ROW_HEIGHT, type TableGrid, toTableColumns, USUAL_EM } from "./createGrid";
import { FILTER_ROW_HEIGHT, FilterRow } from "./filterRow";
import { followColumns } from "./followColumns";
import { type GridCommand, gridKey, isAsked } from "./gridKeys";
import { LazyRows } from "./lazyRows";
import { belowHeading, cellsIn, goToRow, pinColumns, placesInSight, redrawRows } from "./onGrid";
import { selectedOf } from "./selection";
import type { SpreadsheetSelection } from "./selectionModel";
import { clickSort } from "./sorting";
import { markHeadings, markOrder } from "./sortMarks";
import type { Cell } from "./tsv";

/** How often pages are read at most while the rows are scrolled. */
const LOOK_MS = 20;

/** The number of rows that widths are fitted to. */
const SAMPLE = 60;

export class GridController {
  readonly #grid: TableGrid;
  readonly #selection: SpreadsheetSelection;
  readonly #rows: LazyRows;
  readonly #filters: FilterRow;
  readonly #observer: ResizeObserver;
  readonly #host: HTMLElement;
  readonly #widths = new ColumnWidths();
  readonly #columns: ColumnCommands;
  #handlers: Handlers;
  #content: Content | null = null;
  #prefs: ColumnPrefs;
  #sorts: readonly Sort[] = [];
  #columnsDrawn = "";
  /** The paths of the columns, in the order in which the selection and the active cell know them. */
  #placed: readonly string[] = [];
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
    this.#filters = new FilterRow(grid, host, (path, text) => this.#handlers.filter(path, text));
    this.#columns = new ColumnCommands(grid, this.#rows, this.#widths, () => ({
      content: this.#content,
      prefs: this.#prefs,
      sorts: this.#sorts,
      handlers: this.#handlers,
    }));
    this.#wire();
    host.addEventListener(
      "keydown",
      (event) => {
        // Tab leaves the grid, like any other control; the arrow keys move between cells. SlickGrid would move
        // through all cells with Tab, which would trap the keyboard.
        if (event.key === "Tab") event.stopPropagation();
      },
      true,
    );
    this.#observer = new ResizeObserver(() => {
      this.#grid.keepingFocus(() => this.#grid.resizeCanvas());
      this.#lookSoon();
    });
    this.#observer.observe(host);
  }

  setHandlers(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  /** Shows the state of the fields that filter by the columns. */
  showFilters(fields: FilterFields): void {
    if (!this.#filters.show(fields)) return;
    this.#columnsDrawn = "";
    this.#grid.keepingFocus(() => this.#drawColumns());
  }

  /** Moves the focus to the field that filters by a column. */
  focusFilter(path: string | null): void {
    this.#filters.focus(path);
  }

  show(content: Content, prefs: ColumnPrefs, sorts: readonly Sort[]): void {
    const before = this.#content;
    const moved = before?.identity !== content.identity;
    const renewed = moved || before?.stamp !== content.stamp || before.generation !== content.generation;
    this.#content = content;
    this.#prefs = prefs;
    this.#sorts = sorts;
    if (before?.query !== content.query) this.#widths.forget();
    if (renewed) {
      // Nothing is read until the grid is where it is going to be.
      this.#lookLater();
      this.#rows.reset(content.length, content.generation, content.read);
    }
    this.#grid.keepingFocus(() => this.#drawColumns());
    markHeadings(this.#grid, this.#host, sorts, content.length);
    if (!renewed) return;
    if (moved) this.#redraw(content.length);
    else this.#grid.keepingFocus(() => this.#grid.invalidate());
    this.#selection.refreshSelections();
    this.#look();
  }

  /** Draws other rows from the top. The focus stays in its column: a sort by key is often followed by another. */
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

  /** Takes the focus, at the row that was active. */
  focus(): void {
    this.#grid.focus();
  }

  /** Sets the text size of the data, in pixels. Rows and columns follow; the scroll position is kept. */
  setEm(em: number): void {
    const scale = em / USUAL_EM;
    if (em <= 0 || Math.abs(scale - this.#widths.scale) < 0.01) return;
    this.#widths.scale = scale;
    const { top } = this.#grid.getViewport();
    this.#grid.keepingFocus(() => {
      const headerRowHeight = Math.round(FILTER_ROW_HEIGHT * scale);
      this.#grid.setOptions({ rowHeight: Math.round(ROW_HEIGHT * scale), headerRowHeight }, true, true);
      this.#columnsDrawn = "";
      this.#drawColumns();
      this.#grid.invalidate();
      this.#grid.scrollRowToTop(top);
    });
    this.#lookSoon();
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#filters.destroy();
    if (this.#lookTimer !== null) clearTimeout(this.#lookTimer);
    this.#rows.reset(0, 0, () => Promise.resolve({ rows: [], generation: 0 }));
    this.#grid.destroy(true);
  }

  #drawColumns(): void {
    const content = this.#content;
    if (content === null) return;
    const placed = shown(content, this.#prefs);
    const { zone, zones } = content;
    const { formats = NO_FORMATS, coloured = null } = this.#prefs;
    this.#rows.colouredBy = content.columns.findIndex(({ path }) => path === coloured);
    const columns = toTableColumns(placed, { zone, zones, formats, coloured }, ({ column, index }) =>
      this.#widths.drawn(column, index, this.#prefs),
    );
    const each = columns.map(({ id, name, field, width, cssClass }) => [id, name, field, width, cssClass]);
    const drawn = JSON.stringify([each, this.#prefs.pinned, zone, zones, formats, coloured]);
    if (drawn === this.#columnsDrawn) return;
    this.#columnsDrawn = drawn;
    const paths = columns.map((column) => String(column.id));
    this.#follow(paths);
    this.#filters.keepingFocus(() => {
      pinColumns(this.#grid, this.#host, pinnedOf(content, this.#prefs), columns);
      this.#grid.setColumns(columns);
    });
    // A column that was moved by a key stays in sight, so that the key can be pressed again.
    const moved = this.#columns.takeMoved();
    const cell = moved === null ? -1 : paths.indexOf(moved);
    if (cell >= 0) this.#grid.scrollColumnIntoView(cell);
  }

  #follow(paths: readonly string[]): void {
    followColumns(this.#grid, this.#selection, this.#placed, paths);
    this.#placed = paths;
  }

  #arrived(first: number, last: number): void {
    if (!this.#widths.fit && this.#content !== null) this.#fitTo(this.#content, first);
    redrawRows(this.#grid, first, last);
  }

  #fitTo(content: Content, first: number): void {
    const sample = Array.from({ length: SAMPLE }, (_, index) => this.#rows.getItem(first + index) ?? []);
    this.#widths.fitTo(content.columns, sample);
    this.#drawColumns();
  }

  /** Reads what is in sight: at once, so that it arrives while the grid draws, and again when scrolling pauses. */
  #lookSoon(): void {
    if (this.#lookTimer !== null) return;
    this.#lookLater();
    this.#look();
  }

  #lookLater(): void {
    this.#lookTimer ??= setTimeout(() => {
      this.#lookTimer = null;
      this.#look();
    }, LOOK_MS);
  }

  #look(): void {
    const range = this.#grid.getRenderedRange();
    // The widths of all columns are fitted to the first rows.
    const all = () => this.#content?.columns.map((_, place) => place) ?? [];
    this.#rows.look(range.top, range.bottom, this.#widths.fit ? placesInSight(this.#grid) : all());
  }

  #wire(): void {
    const grid = this.#grid;
    grid.onViewportChanged.subscribe(() => this.#lookSoon());
    grid.onScroll.subscribe(() => this.#lookSoon());
    grid.onRendered.subscribe(() => this.#lookSoon());
    grid.onBeforeSort.subscribe((event, args) => {
      if ("sortCol" in args && args.sortCol) {
        const path = String(args.sortCol.id);
        this.#handlers.sort(clickSort(this.#sorts, path, event.shiftKey === true));
      }
      // The headings follow with the rows.
      return false;
    });
    grid.onColumnsResized.subscribe(() =>
      this.#handlers.prefs(this.#widths.dragged(grid.getColumns(), this.#prefs)),
    );
    grid.onColumnsReordered.subscribe(() => {
      if (this.#content === null) return;
      const visible = grid.getColumns().map((column) => String(column.id));
      this.#follow(visible);
      this.#columnsDrawn = "";
      this.#handlers.prefs(reorder(this.#content, this.#prefs, visible));
    });
    grid.onHeaderCellRendered.subscribe((_event, args) => {
      args.node.setAttribute("role", "columnheader");
      args.node.dataset.path = String(args.column.id);
      markOrder(args.node, this.#sorts);
    });
    grid.onDblClick.subscribe((_event, args) => this.#handlers.open(args.row));
    grid.onActiveCellChanged.subscribe((_event, args) => {
      if (typeof args.row === "number") this.#handlers.active(args.row, pathAt(grid, args.cell));
    });
    this.#selection.onSelectedRangesChanged.subscribe(() =>
      this.#handlers.selected(selectedOf(this.#selection.range())),
    );
    grid.onColumnsResizeDblClick.subscribe((_event, args) =>
      this.perform("fit", { row: null, path: args.triggeredByColumn }),
    );
    this.#host.addEventListener("contextmenu", (event) => this.#menu(event));
    grid.onKeyDown.subscribe((event, args) => this.#pressed(event, args.row, args.cell));
    // When the Tab key enters the grid there may be no active cell, and the arrow keys would do nothing.
    this.#host.addEventListener("focusin", () => {
      if (!grid.hasFocus()) return;
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
    const at = { row: typeof row === "number" ? row : null, path: pathAt(this.#grid, cell) };
    if (key !== "menu") this.perform(key, at);
    else if (at.path !== null && typeof row === "number" && typeof cell === "number") {
      const box = this.#grid.getCellNode(row, cell)?.getBoundingClientRect();
      if (box) this.#handlers.menu({ x: box.left, y: box.bottom, path: at.path, row });
    }
  }

  #menu(event: MouseEvent): void {
    // Text that is being typed has the system's own menu.
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    const at = pointedAt(this.#grid, event);
    if (at === null) return;
    const cell = this.#grid.getCellFromEvent(event);
    if (at.row !== null && cell !== null) this.#selection.reach(cell);
    this.#handlers.menu({ x: event.clientX, y: event.clientY, ...at });
  }

  /** The active cell; null if there is none. */
  here(): At | null {
    return activeAt(this.#grid);
  }

  /** The value of a cell; undefined if it has not been read. */
  valueAt({ row, path }: At): Cell | undefined {
    const index = this.#content?.columns.findIndex((column) => column.path === path) ?? -1;
    return this.#rows.getItem(row)?.[index];
  }

  /** What is selected; null if nothing is. */
  selectedCells(): SelectedCells | null {
    return cellsIn(this.#grid, this.#rows, this.#selection.range());
  }

  /** Where a popover about a column opens: below its heading. */
  belowHeading(path: string): { x: number; y: number } {
    return belowHeading(this.#host, path);
  }

  /** Makes a row the active one, in the column of the active cell. Takes no focus from where it is. */
  goTo(row: number): void {
    goToRow(this.#grid, row);
  }

  /** Performs the command of a key or a menu, at a cell or a column. */
  perform(command: GridCommand, { row, path }: { row: number | null; path: string | null }): void {
    if (isCopy(command)) {
      const { formats = NO_FORMATS } = this.#prefs;
      const [grid, rows, content] = [this.#grid, this.#rows, this.#content];
      const from = { grid, rows, range: this.#selection.range(), content, formats };
      void copySelection(from, command, this.#handlers);
    } else if (command === "select_all") this.#selection.selectAll();
    else if (command === "select_column") this.#selection.selectColumns();
    else if (command === "select_row") this.#selection.selectRows();
    else if (command === "sort_off") this.#columns.sortBy([]);
    else if (command === "open") {
      if (row !== null) this.#handlers.open(row);
    } else if (path === null) return;
    else if (isAsked(command)) this.#handlers.ask(command, { row, path });
    else this.#columns.perform(command, path);
  }
}

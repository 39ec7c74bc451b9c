// Selecting cells as in a spreadsheet. SlickGrid's own model moves to the first row on Ctrl+A and has no Shift+click
// and no whole rows and columns; only its way of dragging is used.

import {
  type OnActiveCellChangedEventArgs,
  SlickCellRangeSelector,
  SlickEvent,
  type SlickEventData,
  SlickEventHandler,
  type SlickGridModel,
  SlickRange,
} from "slickgrid";

import {
  afterMove,
  type At,
  contains,
  type Range,
  rangeOf,
  type Selection,
  type SelectionKey,
  selectionKey,
  single,
  type Size,
  stepFrom,
} from "./selection";

/** One rectangle of cells around the active cell. */
export class SpreadsheetSelection {
  readonly pluginName = "SpreadsheetSelection";
  readonly onSelectedRangesChanged = new SlickEvent<SlickRange[]>("onSelectedRangesChanged");
  readonly #selector = new SlickCellRangeSelector({
    selectionCss: { border: "1px solid var(--accent)" } as CSSStyleDeclaration,
  });
  readonly #events = new SlickEventHandler();
  #grid: SlickGridModel | null = null;
  #selection: Selection | null = null;
  #reported: Range | null = null;
  /** A drag with Shift held extends the selection from the active cell. */
  #dragExtends = false;

  init(grid: SlickGridModel): void {
    this.#grid = grid;
    const events = this.#events;
    events.subscribe(grid.onActiveCellChanged, (_event, args) => this.#activated(args));
    events.subscribe(grid.onClick, (event, { row, cell }) => this.#clicked(event, { row, cell }));
    events.subscribe(grid.onKeyDown, (event) => this.#pressed(event));
    // Before the selector, which stops the event.
    events.subscribe(grid.onDragInit, (event) => {
      this.#dragExtends = event.shiftKey === true && this.#selection !== null;
    });
    grid.registerPlugin(this.#selector);
    events.subscribe(this.#selector.onCellRangeSelecting, () => this.#dragged());
    events.subscribe(this.#selector.onCellRangeSelected, () => this.#dragged());
  }

  destroy(): void {
    this.#events.unsubscribeAll();
    this.#grid?.unregisterPlugin(this.#selector);
    this.#grid = null;
  }

  getOptions(): object {
    return {};
  }

  setOptions(): void {
    // There are none.
  }

  getSelectedRanges(): SlickRange[] {
    const range = this.range();
    return range === null ? [] : [new SlickRange(range.fromRow, range.fromCell, range.toRow, range.toCell)];
  }

  setSelectedRanges(ranges: SlickRange[]): void {
    const [range] = ranges;
    if (range === undefined) return this.#set(null);
    const anchor = { row: range.fromRow, cell: range.fromCell };
    this.#set({ ...single(anchor), lead: { row: range.toRow, cell: range.toCell } });
  }

  /** The number of rows or columns has changed, and with it what "all" means. */
  refreshSelections(): void {
    this.#report();
  }

  /** What is selected, and so what a copy contains. */
  range(): Range | null {
    return this.#selection === null ? null : rangeOf(this.#selection, this.#size());
  }

  /** Follows its columns from one order to another; the active cell has already followed its own. */
  follow(before: readonly string[], after: readonly string[]): void {
    if (this.#selection === null) return;
    const moved = afterMove(this.#selection, before, after);
    if (moved === null) this.collapse();
    else this.#set(moved);
  }

  /** Reduces the selection to the active cell. */
  collapse(): void {
    const active = this.#grid?.getActiveCell() ?? null;
    this.#set(active === null ? null : single({ row: active.row, cell: active.cell }));
  }

  /** Selects the cell at which a menu is opened, unless it is selected already. */
  reach(at: At): void {
    const range = this.range();
    if (range !== null && contains(range, at)) return;
    this.#grid?.setActiveCell(at.row, at.cell);
    this.collapse();
  }

  selectAll(): void {
    const grid = this.#grid;
    // The selection grows from the active cell, so there has to be one.
    if (grid !== null && grid.getActiveCell() === null && grid.getDataLength() > 0) {
      grid.setActiveCell(grid.getViewport().top, 0);
    }
    this.#whole({ wholeColumns: true, wholeRows: true });
  }

  selectColumns(): void {
    this.#whole({ wholeColumns: true, wholeRows: false });
  }

  selectRows(): void {
    this.#whole({ wholeColumns: false, wholeRows: true });
  }

  #whole(whole: Pick<Selection, "wholeColumns" | "wholeRows">): void {
    if (this.#selection !== null) this.#set({ ...this.#selection, ...whole });
  }

  #size(): Size {
    const grid = this.#grid;
    return { rows: grid?.getDataLength() ?? 0, cells: grid?.getColumns().length ?? 0 };
  }

  #set(selection: Selection | null): void {
    this.#selection = selection;
    this.#report();
  }

  #report(): void {
    const range = this.range();
    if (JSON.stringify(range) === JSON.stringify(this.#reported)) return;
    this.#reported = range;
    this.onSelectedRangesChanged.notify(this.getSelectedRanges());
  }

  #activated(args: OnActiveCellChangedEventArgs | null): void {
    const { row, cell } = args ?? {};
    // No cell is active while its row is redrawn. The selection belongs to the rows and stays.
    if (typeof row === "number" && typeof cell === "number") this.#set(single({ row, cell }));
  }

  #clicked(event: SlickEventData, at: At): void {
    if (event.shiftKey === true && this.#selection !== null) {
      this.#set({ ...single(this.#selection.anchor), lead: at });
      event.preventDefault();
      // The grid would make the clicked cell the active one.
      event.stopImmediatePropagation();
      return;
    }
    // A click on the active cell does not change it, but has to reduce the selection to it.
    this.#set(single(at));
  }

  #dragged(): void {
    const { start, end } = this.#selector.getCurrentRange() ?? {};
    if (typeof start?.row !== "number" || typeof start.cell !== "number") return;
    const first = { row: start.row, cell: start.cell };
    const lead = { row: end?.row ?? first.row, cell: end?.cell ?? first.cell };
    if (this.#dragExtends && this.#selection !== null) {
      this.#set({ ...single(this.#selection.anchor), lead });
      return;
    }
    const active = this.#grid?.getActiveCell();
    if (active?.row !== first.row || active.cell !== first.cell) {
      this.#grid?.setActiveCell(first.row, first.cell);
    }
    this.#set({ ...single(first), lead });
  }

  #pressed(event: SlickEventData): void {
    const native = event.getNativeEvent<KeyboardEvent>();
    const key = selectionKey(native);
    if (key === null || this.#grid === null || this.#grid.getActiveCell() === null) return;
    if (key.kind === "move") {
      // At the edge the active cell stays, but the selection has to be reduced to it.
      this.collapse();
      return;
    }
    native.preventDefault();
    event.stopPropagation();
    event.stopImmediatePropagation();
    this.#act(key, this.#grid);
  }

  #act(key: SelectionKey, grid: SlickGridModel): void {
    const selection = this.#selection;
    if (key.kind === "all") this.selectAll();
    else if (key.kind === "columns") this.selectColumns();
    else if (key.kind === "rows") this.selectRows();
    else if (selection === null) return;
    else if (key.kind === "jump") {
      const to = stepFrom(selection.anchor, key.step, this.#size(), grid.getViewportRowCount());
      grid.setActiveCell(to.row, to.cell);
      this.collapse();
    } else if (key.kind === "extend") {
      this.#extend(selection, stepFrom(selection.lead, key.step, this.#size(), grid.getViewportRowCount()));
    }
  }

  /** Extends the selection to a cell and shows it. Whole rows or columns stay whole and extend the other way only. */
  #extend(selection: Selection, to: At): void {
    const { wholeColumns, wholeRows } = selection;
    const lead = {
      row: wholeColumns ? selection.lead.row : to.row,
      cell: wholeRows ? selection.lead.cell : to.cell,
    };
    if (!wholeColumns) this.#grid?.scrollRowIntoView(lead.row);
    if (!wholeRows) this.#grid?.scrollColumnIntoView(lead.cell);
    this.#set({ ...selection, lead });
  }
}

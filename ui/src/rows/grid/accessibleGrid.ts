// SlickGrid keeps the focus in a hidden element and only paints the active cell, so screen readers do not notice it.
// Here the active cell has the focus, and rows and cells state their positions.

import {
  type CellViewportRange,
  type Column,
  type SlickEventData,
  SlickGrid,
  type SlickRange,
} from "slickgrid";

export class AccessibleGrid<Row, Col extends Column<Row>> extends SlickGrid<Row, Col> {
  // Only declared: the grid's own constructor already draws, and an initializer here would run after it.
  declare private stop: HTMLElement | undefined;

  /** To be called once after construction: leaves one tab stop, and no unnamed elements between grid and rows. */
  settle(): void {
    for (const layer of this._container.querySelectorAll("[tabindex]")) layer.removeAttribute("tabindex");
    this._container.tabIndex = 0;
    this._container.setAttribute("aria-multiselectable", "true");
    this._container.addEventListener("keydown", (event) => {
      // Keys in cells reach the grid anyway; this is for the focus on the grid as a whole.
      if (event.target !== this._container) return;
      const lost = this.getActiveCell() === null && this.getDataLength() > 0;
      if (lost && event.key.startsWith("Arrow")) this.setActiveCell(this.getViewport().top, 0);
      else this.handleKeyDown(event as KeyboardEvent & { originalEvent: Event });
    });
  }

  /** Whether the focus is in the grid, but not in a field above the rows. */
  hasFocus(): boolean {
    const at = document.activeElement;
    return this._container.contains(at) && at?.closest(".slick-headerrow") === null;
  }

  /** Redraws without losing the focus. */
  keepingFocus(draw: () => void): void {
    const had = this.hasFocus();
    draw();
    this.markStop();
    if (had && !this.hasFocus()) this.setFocus();
  }

  /** Moves the active cell with its column. It is the same cell, so nothing scrolls and no event is sent. */
  moveActiveCell(cell: number): void {
    if (this.getActiveCell() === null) return;
    this.activeCell = cell;
    this.activePosX = cell;
    const drawn = this.getCellNode(this.activeRow, cell);
    if (drawn === null || drawn === this.activeCellNode) return;
    this.activeCellNode?.classList.remove("active");
    drawn.classList.add("active");
    this.activeCellNode = drawn;
    this.markStop();
  }

  protected override setFocus(): void {
    const target = this.activeCellNode?.isConnected === true ? this.activeCellNode : this._container;
    target.focus({ preventScroll: true });
  }

  protected override setActiveCellInternal(
    ...args: Parameters<SlickGrid<Row, Col>["setActiveCellInternal"]>
  ): void {
    super.setActiveCellInternal(...args);
    this.markStop();
    if (args[0] !== null && this.hasFocus()) this.setFocus();
  }

  protected override renderRows(range: {
    top: number;
    bottom: number;
    leftPx: number;
    rightPx: number;
  }): void {
    super.renderRows(range);
    this.markStop();
  }

  protected override appendRowHtml(
    left: HTMLElement[],
    right: HTMLElement[],
    row: number,
    range: CellViewportRange,
    length: number,
  ): void {
    super.appendRowHtml(left, right, row, range, length);
    // The heading is the first row.
    for (const half of [left, right]) half.at(-1)?.setAttribute("aria-rowindex", String(row + 2));
  }

  protected override appendCellHtml(...args: Parameters<SlickGrid<Row, Col>["appendCellHtml"]>): void {
    super.appendCellHtml(...args);
    const [row, at, cell] = args;
    row.lastElementChild?.setAttribute("aria-colindex", String(cell + 1));
    row.lastElementChild?.setAttribute("aria-selected", String(this.isCellSelected(at, cell)));
  }

  /**
   * Paints every drawn cell by the current selection. The grid's own method remembers which cells it has painted,
   * misses those drawn later, and leaves them looking selected; it also lists every selected row.
   */
  protected override handleSelectedRangesChanged(_event: SlickEventData, ranges: SlickRange[]): void {
    this.selectedRanges = ranges;
    for (const [key, drawn] of Object.entries(this.rowsCache)) {
      const row = Number(key);
      this.ensureCellNodesInRowsCache(row);
      drawn.cellNodesByColumnIdx.forEach((node: HTMLElement | undefined, cell) => {
        const isSelected = this.isCellSelected(row, cell);
        node?.classList.toggle("selected", isSelected);
        node?.setAttribute("aria-selected", String(isSelected));
      });
    }
  }

  protected override setupColumnResize(): void {
    super.setupColumnResize();
    // For the mouse only; the keyboard sets widths from the cells.
    for (const handle of this._container.querySelectorAll(".slick-resizable-handle")) {
      handle.removeAttribute("role");
      handle.removeAttribute("aria-orientation");
      handle.setAttribute("aria-hidden", "true");
    }
  }

  /** The Tab key goes to the active cell or, if there is none, to the first cell on the screen. */
  private markStop(): void {
    const active = this.activeCellNode;
    const next =
      active?.isConnected === true
        ? active
        : (this.getCellNode(this.getViewport().top, 0) ??
          this._container.querySelector<HTMLElement>(".slick-cell"));
    const stop = next ?? this._container;
    if (this.stop !== stop) {
      if (this.stop) this.stop.tabIndex = -1;
      this._container.tabIndex = -1;
      this.stop = stop;
    }
    stop.tabIndex = 0;
  }
}

// What keys and menus do with a column: sort by it, set its width, move it.

import type { Sort } from "../../backend";
import { type ColumnPrefs, fitWidth, nameIn, reorder, step, withPinned, withWidth } from "./columns";
import type { ColumnWidths } from "./columnWidths";
import type { Content, Handlers } from "./contract";
import { MIN_WIDTH, type TableGrid } from "./createGrid";
import type { LazyRows, Row } from "./lazyRows";
import { sortedText } from "./order";
import { commandSort, type SortCommand } from "./sorting";

/** How much wider or narrower one key makes a column. */
const WIDTH_STEP = 16;

/** The commands that move a column. */
type PlaceCommand = "move_left" | "move_right" | "pin_column" | "unpin_column";

/** The commands for a column. */
export type ColumnCommand = SortCommand | "narrower" | "wider" | "fit" | PlaceCommand;

/** What the grid shows now. */
interface Shown {
  content: Content | null;
  prefs: ColumnPrefs;
  sorts: readonly Sort[];
  handlers: Handlers;
}

export class ColumnCommands {
  readonly #grid: TableGrid;
  readonly #rows: LazyRows;
  readonly #widths: ColumnWidths;
  readonly #shown: () => Shown;
  #moved: string | null = null;

  constructor(grid: TableGrid, rows: LazyRows, widths: ColumnWidths, shown: () => Shown) {
    this.#grid = grid;
    this.#rows = rows;
    this.#widths = widths;
    this.#shown = shown;
  }

  /** The column that was moved last, once. */
  takeMoved(): string | null {
    const moved = this.#moved;
    this.#moved = null;
    return moved;
  }

  /** The compiler sees to it that no command is forgotten. */
  perform(command: ColumnCommand, path: string): void {
    if (command === "narrower" || command === "wider") {
      const width = this.#grid.getColumns().find((column) => column.id === path)?.width;
      const by = command === "wider" ? WIDTH_STEP : -WIDTH_STEP;
      if (width !== undefined) this.#resize(path, width / this.#widths.scale + by);
    } else if (command === "fit") this.#fitColumn(path);
    else if (command === "move_left" || command === "move_right") {
      this.#move(path, command === "move_right" ? 1 : -1);
    } else if (command === "pin_column" || command === "unpin_column") {
      this.#pin(path, command === "pin_column");
    } else this.sortBy(commandSort(command, this.#shown().sorts, path));
  }

  sortBy(sorts: Sort[]): void {
    const { content, handlers } = this.#shown();
    handlers.sort(sorts);
    handlers.announce(sortedText(content?.columns ?? [], sorts));
  }

  #resize(path: string, width: number): void {
    const { content, prefs, handlers } = this.#shown();
    const wanted = Math.round(Math.max(MIN_WIDTH, width));
    handlers.prefs(withWidth(prefs, path, wanted));
    handlers.announce(`${nameIn(content?.columns, path)} is ${wanted} pixels wide`);
  }

  /** Fits a column to the rows on the screen. */
  #fitColumn(path: string): void {
    const { content } = this.#shown();
    const index = content?.columns.findIndex((column) => column.path === path) ?? -1;
    const column = content?.columns[index];
    if (column === undefined) return;
    const { top, bottom } = this.#grid.getRenderedRange();
    const sample: Row[] = [];
    for (let row = top; row <= bottom; row += 1) sample.push(this.#rows.getItem(row) ?? []);
    this.#resize(path, fitWidth(column, index, sample, true));
  }

  #pin(path: string, on: boolean): void {
    const { content, prefs, handlers } = this.#shown();
    if (content === null) return;
    const next = withPinned(content, prefs, path, on);
    const name = nameIn(content.columns, path);
    if (next !== prefs) handlers.prefs(next);
    handlers.announce(`${name} is ${on ? "pinned" : "not pinned"}`);
  }

  #move(path: string, by: -1 | 1): void {
    const { content, prefs, handlers } = this.#shown();
    if (content === null) return;
    const visible = this.#grid.getColumns().map((column) => String(column.id));
    const moved = step(visible, path, by);
    const place = moved.indexOf(path);
    if (place !== visible.indexOf(path)) {
      this.#moved = path;
      handlers.prefs(reorder(content, prefs, moved));
    }
    handlers.announce(`${nameIn(content.columns, path)} is column ${place + 1} of ${moved.length}`);
  }
}

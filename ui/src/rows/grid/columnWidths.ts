// How wide the columns are drawn: as the user has set them, otherwise to fit the first rows.

import type { ColumnView } from "../../backend";
import { type ColumnPrefs, fitWidth } from "./columns";
import type { TableColumn } from "./createGrid";
import type { Row } from "./lazyRows";

/** The width of the mark before the cells that colour the rows, at the normal size. */
const MARK_PX = 18;

export class ColumnWidths {
  /** How much larger than normal the data is. Widths are remembered for the normal size. */
  scale = 1;
  #fitted = new Map<string, number>();
  #fit = false;

  /** Whether the columns have been fitted to rows of this query. */
  get fit(): boolean {
    return this.#fit;
  }

  /** Other rows are coming: the columns will be fitted to them. */
  forget(): void {
    this.#fit = false;
  }

  fitTo(columns: readonly ColumnView[], sample: readonly Row[]): void {
    this.#fit = true;
    this.#fitted = new Map(columns.map((column, index) => [column.path, fitWidth(column, index, sample)]));
  }

  drawn(column: ColumnView, index: number, prefs: ColumnPrefs): number {
    const { path } = column;
    const usual = prefs.widths[path] ?? this.#fittedTo(path, prefs) ?? fitWidth(column, index, []);
    return Math.round(this.scale * usual);
  }

  #fittedTo(path: string, prefs: ColumnPrefs): number | undefined {
    const fitted = this.#fitted.get(path);
    return fitted === undefined ? undefined : fitted + (prefs.coloured === path ? MARK_PX : 0);
  }

  /** What is remembered after columns were resized: only those; the others are still fitted automatically. */
  dragged(columns: readonly TableColumn[], prefs: ColumnPrefs): ColumnPrefs {
    const widths = { ...prefs.widths };
    for (const { id, width, previousWidth } of columns) {
      const path = String(id);
      const isFitted = width === Math.round(this.scale * (this.#fittedTo(path, prefs) ?? 0));
      if (width !== undefined && width !== previousWidth && !isFitted) {
        widths[path] = Math.round(width / this.scale);
      }
    }
    return { ...prefs, widths };
  }
}

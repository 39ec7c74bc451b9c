// How wide the columns are drawn: as a person has set them, else as the first rows fit.

import type { ColumnView } from "../backend";
import { type ColumnPrefs, fitWidth } from "../logic/columns";
import type { TableColumn } from "./createGrid";
import type { Row } from "./lazyRows";

export class ColumnWidths {
  /** How much larger than usual the data is set. Widths are kept for the usual size. */
  scale = 1;
  #fitted = new Map<string, number>();
  #fit = false;

  /** Whether the columns have been fitted to rows of this query. */
  get fit(): boolean {
    return this.#fit;
  }

  /** Other rows come: the next are fitted anew. */
  forget(): void {
    this.#fit = false;
  }

  fitTo(columns: readonly ColumnView[], sample: readonly Row[]): void {
    this.#fit = true;
    this.#fitted = new Map(columns.map((column, index) => [column.path, fitWidth(column, index, sample)]));
  }

  drawn(column: ColumnView, index: number, prefs: ColumnPrefs): number {
    const { path } = column;
    const usual = prefs.widths[path] ?? this.#fitted.get(path) ?? fitWidth(column, index, []);
    return Math.round(this.scale * usual);
  }

  /** What is remembered after columns were dragged: only what was moved; the rest goes on fitting itself. */
  dragged(columns: readonly TableColumn[], prefs: ColumnPrefs): ColumnPrefs {
    const widths = { ...prefs.widths };
    for (const { id, width, previousWidth } of columns) {
      const path = String(id);
      const isFitted = width === Math.round(this.scale * (this.#fitted.get(path) ?? 0));
      if (width !== undefined && width !== previousWidth && !isFitted) {
        widths[path] = Math.round(width / this.scale);
      }
    }
    return { ...prefs, widths };
  }
}

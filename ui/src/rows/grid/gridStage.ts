// The real grid in jsdom, which has no layout.

import { vi } from "vitest";

import type { ColumnView, Sort } from "../../backend";
import { type ColumnPrefs, NO_PREFS } from "./columns";
import type { Content, Handlers } from "./contract";
import { GridController } from "./controller";
import { cellsAt } from "./pageCache";

export const COLUMNS: ColumnView[] = ["_id", "price", "note"].map((path) => ({
  path,
  label: null,
  types: ["string"],
  numeric: false,
}));

export function makeContent(identity: string, length = 1000): Content {
  return {
    query: "all",
    identity,
    stamp: "1",
    columns: COLUMNS,
    reading_order: COLUMNS.map((_, place) => place),
    zone: "UTC",
    zones: { days: "UTC", local: "UTC" },
    length,
    generation: 1,
    read: (offset, limit, places) =>
      Promise.resolve({
        rows: Array.from({ length: Math.min(limit, length - offset) }, (_, at) =>
          cellsAt([`id${offset + at}`, "1", null], places),
        ),
        generation: 1,
      }),
  };
}

/** A controller with its host and mocked handlers. */
export class GridStage {
  readonly host = document.createElement("div");
  readonly announced = vi.fn();
  readonly selected = vi.fn();
  readonly copy = vi.fn();
  readonly copying = vi.fn();
  readonly open = vi.fn();
  readonly menu = vi.fn();
  readonly filter = vi.fn();
  readonly ask = vi.fn();
  readonly grid: GridController;
  prefs: ColumnPrefs = NO_PREFS;
  sorts: Sort[] = [];

  constructor() {
    // The grid takes its size from here.
    Object.assign(this.host.style, { width: "600px", height: "240px", position: "relative" });
    Object.defineProperty(this.host, "clientWidth", { value: 600 });
    document.body.append(this.host);
    // Rows are where the grid has put them: it reads their positions back.
    vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockImplementation(function (this: HTMLElement) {
      const top = parseFloat(this.closest<HTMLElement>(".slick-row")?.style.top ?? "0");
      return DOMRect.fromRect({ x: 0, y: top, width: 100, height: 21 });
    });
    // And there is always further to scroll.
    vi.spyOn(Element.prototype, "scrollHeight", "get").mockReturnValue(8_000_000);
    const handlers: Handlers = {
      sort: (wanted) => {
        this.sorts = wanted;
        this.show(`sorted ${JSON.stringify(wanted)}`);
      },
      prefs: (wanted) => {
        this.prefs = wanted;
        this.show();
      },
      filter: this.filter,
      ask: this.ask,
      open: this.open,
      active: vi.fn(),
      selected: this.selected,
      copy: this.copy,
      copying: this.copying,
      menu: this.menu,
      announce: this.announced,
      outdated: vi.fn(),
      reading: vi.fn(),
      copyFailed: vi.fn(),
    };
    this.grid = new GridController(this.host, handlers, NO_PREFS);
    this.show();
  }

  show(identity = "one", length = 1000): void {
    this.grid.show(makeContent(identity, length), this.prefs, this.sorts);
  }

  press(key: string, held: KeyboardEventInit = {}): void {
    const codes: Record<string, number> = { ArrowDown: 40, ArrowRight: 39, ArrowLeft: 37, ArrowUp: 38 };
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...held });
    // The grid still reads the old name of a key.
    Object.defineProperty(event, "which", { value: codes[key] ?? 0 });
    document.activeElement?.dispatchEvent(event);
  }

  cell(row: number, cell: number): HTMLElement | null {
    return this.host.querySelector(`.slick-row[aria-rowindex="${row + 2}"] .slick-cell.l${cell}`);
  }

  click(row: number, cell: number, held: MouseEventInit = {}): void {
    this.cell(row, cell)?.dispatchEvent(
      new MouseEvent("click", { bubbles: true, cancelable: true, ...held }),
    );
  }

  /** As a wheel does, with the rows drawn at once. */
  scrollTo(row: number): void {
    const viewport = this.host.querySelector<HTMLElement>(".slick-viewport");
    if (viewport === null) return;
    viewport.scrollTop = row * 21;
    viewport.dispatchEvent(new Event("scroll"));
  }

  end(): void {
    this.grid.destroy();
    this.host.remove();
  }
}

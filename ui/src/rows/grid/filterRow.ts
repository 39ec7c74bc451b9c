// The fields under the headings that filter the rows by their columns, in SlickGrid's own row for such things.

import { activeAt } from "./cellAt";
import type { FilterCell, FilterFields } from "./contract";
import type { TableGrid } from "./createGrid";

/** The height of the row at the normal zoom, in pixels. */
export const FILTER_ROW_HEIGHT = 25;

/** What is typed is applied after a pause of this length. */
const PAUSE_MS = 450;

/** What can be typed in a field. */
const HINT =
  "Part of a text, or =Brent, !=Brent, >=5, 5..10, 2025-07, text*, ~text, empty; several with commas between them.";

const BLANK: FilterCell = { text: "", note: "", mistake: null };

export class FilterRow {
  readonly #grid: TableGrid;
  readonly #host: HTMLElement;
  readonly #apply: (path: string, text: string) => void;
  #fields: FilterFields = { shown: false, cells: {} };
  /** What is typed and not applied yet. */
  readonly #typed = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The cells are being drawn again: that a field is left then means nothing. */
  #drawing = false;

  constructor(grid: TableGrid, host: HTMLElement, apply: (path: string, text: string) => void) {
    this.#grid = grid;
    this.#host = host;
    this.#apply = apply;
    grid.onHeaderRowCellRendered.subscribe((_event, { node, column }) =>
      this.#draw(node, String(column.id), typeof column.name === "string" ? column.name : String(column.id)),
    );
  }

  /** Shows the state of the fields. Returns whether the row has appeared, so that its cells have to be drawn. */
  show(fields: FilterFields): boolean {
    const appears = fields.shown && !this.#fields.shown;
    const hides = !fields.shown && this.#fields.shown;
    const hadFocus = this.#focused() !== null;
    this.#fields = fields;
    if (appears || hides) this.#grid.setHeaderRowVisibility(fields.shown, false);
    if (hides) {
      this.flush();
      if (hadFocus) this.#toRows();
    }
    for (const field of this.#all()) this.#mark(field);
    return appears;
  }

  /** Moves the focus to the field of a column or, if it has none, to the first. */
  focus(path: string | null): void {
    const field = this.#all().find((field) => field.dataset.path === path) ?? this.#all()[0];
    field?.focus();
    field?.select();
  }

  /** Draws the headings again, which makes new fields, and leaves the focus where it was. */
  keepingFocus(draw: () => void): void {
    const before = this.#focused();
    this.#drawing = true;
    draw();
    this.#drawing = false;
    if (before === null || before.isConnected) return;
    const after = this.#all().find((field) => field.dataset.path === before.dataset.path);
    after?.focus({ preventScroll: true });
    after?.setSelectionRange(before.selectionStart, before.selectionEnd);
  }

  /** Applies what is typed. */
  flush(): void {
    clearTimeout(this.#timer);
    const typed = [...this.#typed];
    this.#typed.clear();
    for (const [path, text] of typed) if (text !== this.#cell(path).text) this.#apply(path, text);
  }

  destroy(): void {
    clearTimeout(this.#timer);
  }

  #cell(path: string): FilterCell {
    return this.#fields.cells[path] ?? BLANK;
  }

  #all(): HTMLInputElement[] {
    return [...this.#host.querySelectorAll<HTMLInputElement>(".filter-field")];
  }

  #focused(): HTMLInputElement | null {
    const at = document.activeElement;
    const isField = at instanceof HTMLInputElement && at.classList.contains("filter-field");
    return isField && this.#host.contains(at) ? at : null;
  }

  #draw(node: HTMLElement, path: string, name: string): void {
    node.setAttribute("role", "gridcell");
    node.parentElement?.setAttribute("role", "row");
    const field = document.createElement("input");
    field.type = "text";
    field.className = "filter-field";
    field.dataset.path = path;
    field.autocomplete = "off";
    field.spellcheck = false;
    field.setAttribute("aria-label", `Filter ${name}`);
    field.addEventListener("input", () => {
      this.#typed.set(path, field.value);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.flush(), PAUSE_MS);
    });
    field.addEventListener("focus", () => {
      // The Tab key brings a field into sight by a few pixels only.
      const cell = this.#cellAt(path);
      if (cell >= 0 && !this.#drawing) this.#grid.scrollColumnIntoView(cell);
    });
    field.addEventListener("blur", () => {
      if (!this.#drawing) this.flush();
    });
    field.addEventListener("keydown", (event) => this.#pressed(event, field, path));
    this.#mark(field);
    node.replaceChildren(field);
  }

  #mark(field: HTMLInputElement): void {
    const path = field.dataset.path ?? "";
    const { text, note, mistake } = this.#cell(path);
    const shown = this.#typed.get(path) ?? text;
    if (field.value !== shown) field.value = shown;
    field.placeholder = note;
    field.title = mistake ?? HINT;
    field.toggleAttribute("data-filters", text !== "" || note !== "");
    if (mistake === null) field.removeAttribute("aria-invalid");
    else field.setAttribute("aria-invalid", "true");
    if (mistake === null) field.removeAttribute("aria-describedby");
    else field.setAttribute("aria-describedby", "filter-mistakes");
  }

  #pressed(event: KeyboardEvent, field: HTMLInputElement, path: string): void {
    // Keys of an input method belong to it.
    if (event.isComposing) return;
    const { note, mistake } = this.#cell(path);
    if (event.key === "Enter") this.flush();
    else if (event.key === "ArrowDown") {
      this.flush();
      this.#toRows(path);
    } else if (event.key === "Escape" && (field.value !== "" || note !== "" || mistake !== null)) {
      field.value = "";
      clearTimeout(this.#timer);
      this.#typed.delete(path);
      this.#apply(path, "");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The number of a column among those that are drawn; below zero if it is not. */
  #cellAt(path: string): number {
    return this.#grid.getColumns().findIndex((column) => String(column.id) === path);
  }

  /** Moves the focus to the rows, below the field. */
  #toRows(path?: string): void {
    const grid = this.#grid;
    const cell = path === undefined ? -1 : this.#cellAt(path);
    if (cell >= 0 && grid.getDataLength() > 0) {
      grid.setActiveCell(activeAt(grid)?.row ?? grid.getViewport().top, cell);
    }
    grid.focus();
  }
}

// Around the grid: its footer, its menu, its keys and what it shows about a selection.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { RefObject } from "react";
import { afterEach, expect, it, vi } from "vitest";

import type { Sort } from "../backend";
import type { ColumnPrefs } from "../rows/grid/columns";
import type { Content, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeFake } from "../test/fakeBackend";
import { makeGridHandle } from "../test/gridHandle";
import { later } from "../test/later";
import { makeAnswer, makeDetail, makeFailure } from "../test/made";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({ props: null as Drawn | null, performed: vi.fn(), focused: vi.fn() }));
interface Drawn {
  content: Content;
  handlers: Handlers;
  prefs: ColumnPrefs;
  sorts: readonly Sort[];
  ref: RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({ focus: grid.focused, perform: grid.performed });
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

afterEach(() => void vi.useRealTimers());

async function openRows(fake = makeFake(), answer = makeAnswer()) {
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, answer);
  await screen.findByTestId("grid");
  return { fake, user };
}

it("says what a copy will hold while more than one cell is selected", async () => {
  await openRows();
  act(() => grid.props?.handlers.selected({ rows: 2, columns: 3 }));
  expect(screen.getByTestId("grid-selection")).toHaveTextContent(
    "2 rows × 3 columns selected; Ctrl+C copies them",
  );
  act(() => grid.props?.handlers.selected({ rows: 1, columns: 1 }));
  expect(screen.getByTestId("grid-selection")).toBeEmptyDOMElement();
});

const column = { path: "_id", label: null, types: ["date"], numeric: false };
const other = { path: "price", label: null, types: ["decimal128"], numeric: true };

/** None of the columns that a shape names. */
const NO_COLUMNS = { time_column: null, trade_column: null, status_column: null };

async function openMenu(row: number | null) {
  const made = await openRows();
  vi.mocked(made.fake.backend.viewShape).mockResolvedValue({
    columns: [column, other],
    rows: 2,
    generation: 1,
    reading_order: [1, 0],
    ...NO_COLUMNS,
  });
  act(() => grid.props?.handlers.outdated());
  await waitFor(() => expect(grid.props?.content.columns).toHaveLength(2));
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "_id", row }));
  return made;
}

it("offers what can be done with a cell and its column, in words that suit the column", async () => {
  const { user } = await openMenu(0);
  expect(screen.getAllByRole("menuitem").map((item) => item.textContent)).toEqual(
    expect.arrayContaining([
      expect.stringContaining("Copy with headings"),
      expect.stringContaining("Fit the width"),
    ]),
  );
  expect(screen.getByRole("menuitem", { name: /Remove the sort/ })).toHaveAttribute("aria-disabled", "true");
  await user.click(screen.getByRole("menuitem", { name: /Sort: newest first/ }));
  expect(grid.performed).toHaveBeenLastCalledWith("sort_down", expect.objectContaining({ path: "_id" }));
  expect(screen.queryByRole("menu")).not.toBeInTheDocument();
  await waitFor(() => expect(grid.focused).toHaveBeenCalled());
});

it("hides a column from its heading, and brings it back", async () => {
  const { user } = await openMenu(null);
  expect(screen.queryByRole("menuitem", { name: /Show the document/ })).not.toBeInTheDocument();
  await user.click(screen.getByRole("menuitem", { name: "Hide the column" }));
  expect(grid.props?.prefs.hidden).toEqual(["_id"]);
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "price", row: null }));
  // One column has to stay.
  expect(screen.getByRole("menuitem", { name: "Hide the column" })).toHaveAttribute("aria-disabled", "true");
  await user.click(screen.getByRole("menuitem", { name: "Show all columns" }));
  expect(grid.props?.prefs.hidden).toEqual([]);
});

it("closes its menu on Escape and cancels nothing with it", async () => {
  const { fake, user } = await openMenu(0);
  await user.click(screen.getByTestId("refresh-button"));
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "_id", row: 0 }));
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("menu")).not.toBeInTheDocument());
  expect(fake.backend.cancel).not.toHaveBeenCalled();
});

it("keeps the browser's menu away, but in fields", async () => {
  await openRows();
  expect(fireEvent.contextMenu(screen.getByTestId("activity"))).toBe(false);
  expect(fireEvent.contextMenu(screen.getByTestId("filter-product-input"))).toBe(true);
});

it("offers to copy text that is selected", async () => {
  const { fake, user } = await openRows();
  const sentence = screen.getByTestId("plan-sentence");
  window.getSelection()?.selectAllChildren(sentence);
  fireEvent.contextMenu(sentence);
  await user.click(screen.getByRole("menuitem", { name: /Copy/ }));
  expect(fake.backend.copyText).toHaveBeenCalledWith(sentence.textContent);
});

it("hears the first click after a right click whose release was lost", async () => {
  await openRows();
  const tab = screen.getByTestId("cached-tab");
  const isChosen = () => tab.getAttribute("aria-selected") === "true";
  fireEvent.pointerDown(document.body, { button: 2, buttons: 2 });
  fireEvent.mouseDown(document.body, { button: 2, buttons: 2 });
  fireEvent.contextMenu(document.body);
  // What WebKit sends for the next press: no pointerdown.
  const press = { pointerId: 1, pointerType: "mouse", button: 0, detail: 1 };
  fireEvent.pointerMove(tab, { ...press, buttons: 1 });
  fireEvent.mouseDown(tab, { ...press, buttons: 1 });
  fireEvent.pointerUp(tab, press);
  fireEvent.mouseUp(tab, press);
  fireEvent.click(tab, press);
  await waitFor(() => expect(isChosen()).toBe(true));
});

it("takes no press of the left button for lost while another one is held, or if it was received", async () => {
  await openRows();
  const received = vi.fn();
  window.addEventListener("pointerdown", received);
  const button = screen.getByTestId("activity");
  fireEvent.mouseDown(button, { button: 0, buttons: 3 });
  expect(received).not.toHaveBeenCalled();
  fireEvent.pointerDown(button, { button: 0, buttons: 1 });
  fireEvent.mouseDown(button, { button: 0, buttons: 1 });
  expect(received).toHaveBeenCalledOnce();
  window.removeEventListener("pointerdown", received);
});

/** Presses Ctrl+A at the focus; false if the browser is kept from selecting the window's text. */
const selectAll = () =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "a", ctrlKey: true });

it("selects all rows on Ctrl+A outside of text fields, and nothing else", async () => {
  const { user } = await openRows();
  for (const id of ["fetch-button", "tab-input", "export-button"]) {
    grid.performed.mockClear();
    grid.focused.mockClear();
    act(() => screen.getByTestId(id).focus());
    expect(selectAll()).toBe(false);
    expect(grid.focused).toHaveBeenCalledOnce();
    expect(grid.performed).toHaveBeenCalledExactlyOnceWith("select_all", { row: null, path: null });
  }
  grid.performed.mockClear();
  await user.click(screen.getByTestId("filter-product-input"));
  expect(selectAll()).toBe(true);
  await user.keyboard("{F1}");
  await screen.findByTestId("shortcuts-dialog");
  expect(selectAll()).toBe(false);
  expect(grid.performed).not.toHaveBeenCalled();
});

it("leaves the clipboard alone on Ctrl+C with nothing to copy", async () => {
  const { user } = await openRows();
  const copy = () => fireEvent.keyDown(document.activeElement ?? document.body, { key: "c", ctrlKey: true });
  act(() => screen.getByTestId("fetch-button").focus());
  expect(copy()).toBe(false);
  window.getSelection()?.selectAllChildren(screen.getByTestId("answer"));
  expect(copy()).toBe(true);
  window.getSelection()?.removeAllRanges();
  await user.click(screen.getByTestId("filter-product-input"));
  expect(copy()).toBe(true);
});

it("selects the document on Ctrl+A in its panel", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.rowDetail).mockResolvedValue(makeDetail({ relaxed: "the document" }));
  await openRows(fake);
  act(() => grid.props?.handlers.open(0));
  const text = await screen.findByText("the document");
  grid.performed.mockClear();
  act(() => text.focus());
  expect(selectAll()).toBe(false);
  expect(window.getSelection()?.toString()).toBe("the document");
  expect(grid.performed).not.toHaveBeenCalled();
});

async function openNone(filters: string) {
  const fake = makeFake();
  const shape = { columns: [], rows: 0, generation: 1, reading_order: [], ...NO_COLUMNS };
  vi.mocked(fake.backend.viewShape).mockResolvedValue(shape);
  await openRows(fake, makeAnswer({ filters }));
}

it("selects nothing on Ctrl+A without rows", async () => {
  await openNone("no filter");
  grid.performed.mockClear();
  act(() => screen.getByTestId("fetch-button").focus());
  expect(selectAll()).toBe(false);
  expect(grid.performed).not.toHaveBeenCalled();
});

it("says that filters are set where no row is left by them", async () => {
  await openNone("product: Gas");
  expect(screen.getByText("No trades match these filters on these days.")).toBeInTheDocument();
});

it("names no filters where none are set", async () => {
  await openNone("no filter");
  expect(screen.getByText("There are no trades for these days.")).toBeInTheDocument();
});

it("says that it copies until it is done, and then what", async () => {
  const { fake } = await openRows();
  const copied = later<undefined>();
  vi.mocked(fake.backend.copyText).mockReturnValue(copied.promise);
  vi.useFakeTimers();
  const announcement = screen.getByTestId("grid-announcement");
  act(() => grid.props?.handlers.copying(44_600));
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(announcement).toHaveTextContent("Copying 44,600 rows");
  act(() => grid.props?.handlers.copy("text", { rows: 44_600, columns: 2 }));
  expect(announcement).toHaveTextContent("Copying 44,600 rows");
  copied.resolve(undefined);
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(announcement).toHaveTextContent("Copied 44,600 rows × 2 columns");
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(announcement).toBeEmptyDOMElement();
});

it("says no more that it copies when that has failed", async () => {
  await openRows();
  act(() => grid.props?.handlers.copying(44_600));
  act(() => grid.props?.handlers.copyFailed(makeFailure("cache_busy", "Busy.")));
  expect(screen.getByTestId("grid-announcement")).toBeEmptyDOMElement();
  expect(screen.getByTestId("copy-failure")).toBeInTheDocument();
});

// jsdom has no layout; the style sheet says that the footer wraps.
it("lets what is said of a copy wrap at the edge", () => {
  const sheet = readFileSync(join(__dirname, "../rows/rows.css"), "utf8");
  expect(/\.grid-foot > \[role="status"\] \{([^}]*)\}/.exec(sheet)?.[1]).toContain("white-space: normal");
});

it("sets the rows larger and smaller, and remembers it", async () => {
  const { user } = await openRows();
  const zoom = () => document.documentElement.style.getPropertyValue("--data-zoom");
  await user.keyboard("{Control>}+{/Control}");
  expect(zoom()).toBe("1.15");
  expect(screen.getByTestId("data-zoom")).toHaveTextContent("Text size 115%");
  expect(localStorage.getItem("tidemark.dataZoom")).toBe("1.15");
  await user.keyboard("{Control>}--{/Control}");
  expect(zoom()).toBe("0.85");
  await user.keyboard("{Control>}0{/Control}");
  expect(zoom()).toBe("1");
});

const sort = { path: "_id", descending: true };
const by = { input: [sort], downstream: [] };
const keptSorts = () => JSON.parse(localStorage.getItem("tidemark.sorts") ?? "") as object;

it("restores the order of the rows with the answer, and only for the same query", async () => {
  localStorage.setItem("tidemark.sorts", JSON.stringify({ signature: "5".repeat(32), by }));
  const { user } = await openRows();
  expect(screen.getByTestId("sort-state")).toHaveAccessibleName(/^Sorted by _id/);
  await user.click(screen.getByTestId("sort-state"));
  expect(keptSorts()).toMatchObject({ by: { input: [] } });
  act(() => grid.props?.handlers.sort([sort]));
  expect(keptSorts()).toMatchObject({ by: { input: [sort] } });
});

it("restores the order that an earlier version stored", async () => {
  const by = { input: sort, downstream: null };
  localStorage.setItem("tidemark.sorts", JSON.stringify({ signature: "5".repeat(32), by }));
  await openRows();
  expect(screen.getByTestId("sort-state")).toHaveAccessibleName(/^Sorted by _id/);
});

it("reads, shows and exports the rows in the order of several columns", async () => {
  const { fake, user } = await openMenu(null);
  await user.keyboard("{Escape}");
  const sorts = [{ path: "price", descending: true }, sort];
  act(() => grid.props?.handlers.sort(sorts));
  expect(grid.props?.sorts).toEqual(sorts);
  expect(screen.getByTestId("sort-state")).toHaveAccessibleName(
    /^Sorted by price, largest first, then by _id, newest first/,
  );
  const rows = { role: "input", sorts };
  await grid.props?.content.read(0, 10, [0]);
  expect(fake.backend.page).toHaveBeenLastCalledWith(expect.anything(), rows, {
    ...{ offset: 0, limit: 10, columns: ["_id"] },
  });
  act(() => grid.props?.handlers.open(1));
  await waitFor(() => expect(fake.backend.rowDetail).toHaveBeenCalledWith(expect.anything(), rows, 1));
  await user.click(screen.getByTestId("export-button"));
  await user.click(screen.getByTestId("export-start"));
  expect(vi.mocked(fake.backend.exportRows).mock.lastCall?.[2]).toEqual(rows);
});

it("sorts by the columns that this answer has", async () => {
  const by = { input: [{ path: "gone", descending: false }, sort], downstream: [] };
  localStorage.setItem("tidemark.sorts", JSON.stringify({ signature: "5".repeat(32), by }));
  await openRows();
  expect(grid.props?.sorts).toEqual([sort]);
});

it("offers to sort by a further column where others sort already", async () => {
  const { user } = await openMenu(null);
  expect(screen.queryByRole("menuitem", { name: /Then sort/ })).not.toBeInTheDocument();
  await user.keyboard("{Escape}");
  act(() => grid.props?.handlers.sort([sort]));
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "price", row: null }));
  await user.click(screen.getByRole("menuitem", { name: /Then sort: largest first/ }));
  const at = expect.objectContaining({ path: "price" }) as unknown;
  expect(grid.performed).toHaveBeenLastCalledWith("then_sort_down", at);
});

it("does not restore the order of a different query", async () => {
  localStorage.setItem("tidemark.sorts", JSON.stringify({ signature: "6".repeat(32), by }));
  await openRows();
  expect(screen.getByTestId("sort-state")).not.toHaveAccessibleName(/^Sorted/);
});

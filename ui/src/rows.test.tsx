// What stands around the grid: its foot and what it says of a selection.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { RefObject } from "react";
import { expect, it, vi } from "vitest";

import type { Content, Handlers } from "./grid/contract";
import type { GridHandle } from "./grid/GridView";
import type { ColumnPrefs } from "./logic/columns";
import { makeFake } from "./test/fakeBackend";
import { makeAnswer } from "./test/made";
import { openApp } from "./test/openApp";

const grid = vi.hoisted(() => ({ props: null as Drawn | null, performed: vi.fn(), focused: vi.fn() }));
interface Drawn {
  content: Content;
  handlers: Handlers;
  prefs: ColumnPrefs;
  ref: RefObject<GridHandle | null>;
}
vi.mock("./grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = { focus: grid.focused, perform: grid.performed };
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

async function openRows() {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.finish(makeAnswer()));
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

const column = { path: "_id", types: ["date"], numeric: false };
const other = { path: "price", types: ["decimal128"], numeric: true };

async function openMenu(row: number | null) {
  const made = await openRows();
  vi.mocked(made.fake.backend.viewShape).mockResolvedValue({
    columns: [column, other],
    rows: 2,
    generation: 1,
    time_column: null,
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
  // Something has to be left to click.
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

// Filters that are chosen rather than typed: the value of a cell, and the values of a column.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { ColumnFilter, ColumnValues } from "../backend";
import type { FilterFields, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { later } from "../test/later";
import { makeFailure } from "../test/made";
import { makeRows, textFilter } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted((): { props: Drawn | null; value: string | null } => ({ props: null, value: "" }));
interface Drawn {
  handlers: Handlers;
  filters: FilterFields;
  ref: React.RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({
      valueAt: () => grid.value,
      // As the real grid does with commands that it leaves to the window.
      perform: (command, { row, path }) => {
        if (path !== null) props.handlers.ask(command as "filter_not", { row, path });
      },
    });
    return <div data-testid="grid" />;
  },
}));

async function openRows(fake = makeRows()) {
  grid.value = "Brent";
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await waitFor(() => expect(screen.getByTestId("grid")).toBeInTheDocument());
  return { fake, user };
}

const counted = (fake: ReturnType<typeof makeRows>) =>
  vi.mocked(fake.backend.rowCount).mock.lastCall?.[1].filters;
const chips = () => screen.queryAllByTestId("filter-chip").map((chip) => chip.textContent);
const menuAt = (path: string, row: number | null) =>
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path, row }));

it("filters by the value of a cell from its menu", async () => {
  const { fake, user } = await openRows();
  menuAt("product", 3);
  const items = () => screen.getAllByRole("menuitem").map((item) => item.textContent);
  expect(items()).toEqual(
    expect.arrayContaining([
      "Filter: is Brent",
      "Filter: is not Brent",
      "Filter: contains Brent",
      "Filter: empty",
    ]),
  );
  expect(items()).not.toContain("Filter: at least Brent");
  await user.click(screen.getByRole("menuitem", { name: "Filter: is Brent" }));
  await waitFor(() => expect(chips()).toEqual(["product is Brent"]));
  const values: ColumnFilter = {
    path: "product",
    condition: { kind: "values", values: ["Brent"], empty: false },
  };
  expect(counted(fake)).toEqual([values]);
  expect(grid.props?.filters.cells["product"]).toEqual({ text: "", note: "1 value", mistake: null });
});

it("offers less and more where values have an order, and excludes one value after another", async () => {
  const { fake, user } = await openRows();
  grid.value = "10.50";
  menuAt("price", 3);
  await user.click(screen.getByRole("menuitem", { name: "Filter: at least 10.50" }));
  await waitFor(() => expect(counted(fake)).toEqual([textFilter("price", ">=10.50")]));
  await waitFor(() => expect(chips()).toHaveLength(1));
  menuAt("price", 4);
  await user.click(screen.getByRole("menuitem", { name: "Filter: is not 10.50" }));
  await waitFor(() => expect(counted(fake)).toEqual([textFilter("price", ">=10.50, !=10.50")]));
});

it("offers no value on a heading, and only what there is of a cell without one", async () => {
  const { user } = await openRows();
  menuAt("product", null);
  expect(screen.queryByRole("menuitem", { name: /^Filter: / })).not.toBeInTheDocument();
  expect(screen.getByRole("menuitem", { name: /Filter by values/ })).toBeInTheDocument();
  await user.keyboard("{Escape}");
  grid.value = null;
  menuAt("product", 3);
  const items = screen.getAllByRole("menuitem", { name: /^Filter: / });
  expect(items.map((item) => item.textContent)).toEqual(["Filter: is not empty", "Filter: empty"]);
});

const VALUES: ColumnValues = {
  generation: 1,
  values: [
    { value: "Brent", rows: 40_000 },
    { value: "Gas", rows: 8_000 },
    { value: "", rows: 200 },
  ],
  further: 1_500,
  empty: 11,
};

async function openValues(fake = makeRows()) {
  vi.mocked(fake.backend.columnValues).mockResolvedValue(VALUES);
  const made = await openRows(fake);
  act(() => grid.props?.handlers.ask("values", { row: 0, path: "product" }));
  const dialog = await screen.findByRole("dialog", { name: "Values of product" });
  return { ...made, dialog };
}

it("lists the values of a column with their counts, and filters by those that are ticked", async () => {
  const { fake, user, dialog } = await openValues();
  await within(dialog).findByText("Brent");
  const items = within(dialog)
    .getAllByRole("listitem")
    .map((item) => item.textContent);
  expect(items).toEqual(["empty11", "Brent40,000", "Gas8,000", '""200']);
  expect(screen.getByTestId("values-state")).toHaveTextContent("And 1,500 further values.");
  await user.click(within(dialog).getByRole("checkbox", { name: /Gas/ }));
  await user.click(within(dialog).getByRole("checkbox", { name: /^empty/ }));
  expect(dialog).toHaveTextContent("2 ticked");
  await user.click(screen.getByTestId("values-apply"));
  await waitFor(() => expect(chips()).toEqual(["product is Gas or empty"]));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(counted(fake)).toEqual([
    { path: "product", condition: { kind: "values", values: ["Gas"], empty: true } },
  ]);
});

it("begins with what is ticked, counts under the other filters, and removes its own when all is unticked", async () => {
  const { fake, user, dialog } = await openValues();
  await user.click(await within(dialog).findByRole("checkbox", { name: /Gas/ }));
  await user.keyboard("{Escape}");
  expect(chips()).toEqual([]);
  act(() => grid.props?.handlers.filter("price", ">5"));
  await waitFor(() => expect(chips()).toHaveLength(1));
  act(() => grid.props?.handlers.ask("values", { row: 0, path: "product" }));
  await user.click(await screen.findByRole("checkbox", { name: /Brent/ }));
  await user.click(screen.getByTestId("values-apply"));
  await waitFor(() => expect(chips()).toEqual(["price: >5", "product is Brent"]));
  act(() => grid.props?.handlers.ask("values", { row: 0, path: "product" }));
  expect(await screen.findByRole("checkbox", { name: /Brent/ })).toBeChecked();
  expect(vi.mocked(fake.backend.columnValues).mock.lastCall?.[1].filters).toEqual([
    textFilter("price", ">5"),
  ]);
  await user.click(screen.getByRole("button", { name: "Untick all" }));
  await user.click(screen.getByTestId("values-apply"));
  await waitFor(() => expect(chips()).toEqual(["price: >5"]));
});

it("finds values by a part of them, and stops the search before", async () => {
  const { fake, user, dialog } = await openValues();
  await within(dialog).findByText("Brent");
  const slow = later<ColumnValues>();
  vi.mocked(fake.backend.columnValues).mockReturnValueOnce(slow.promise);
  await user.type(screen.getByTestId("values-search"), "g");
  await waitFor(() => expect(vi.mocked(fake.backend.columnValues).mock.lastCall?.[3]).toBe("g"));
  const id = vi.mocked(fake.backend.columnValues).mock.lastCall?.[5];
  vi.mocked(fake.backend.columnValues).mockResolvedValue({ ...VALUES, values: [], further: 0 });
  await user.type(screen.getByTestId("values-search"), "x");
  await waitFor(() => expect(fake.backend.cancelRows).toHaveBeenCalledWith(id));
  expect(await screen.findByText("No value contains this.")).toBeInTheDocument();
});

it("says why values cannot be listed", async () => {
  const fake = makeRows();
  vi.mocked(fake.backend.columnValues).mockRejectedValue(makeFailure("cache_busy", "Another has the file."));
  await openRows(fake);
  act(() => grid.props?.handlers.ask("values", { row: 0, path: "product" }));
  expect(await screen.findByTestId("values-failure")).toHaveTextContent("Another has the file.");
});

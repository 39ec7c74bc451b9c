// The rows in groups, and what a column contains.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, it, vi } from "vitest";

import type { Groups } from "../backend";
import type { ColumnPrefs } from "../rows/grid/columns";
import type { Content, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { makeSums } from "../test/made";
import { makeRows } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({ props: null as Drawn | null, cells: [] as (string | null)[][] }));
interface Drawn {
  content: Content;
  handlers: Handlers;
  prefs: ColumnPrefs;
  ref: React.RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    const read = () => Promise.resolve(grid.cells);
    props.ref.current = makeGridHandle({
      selectedCells: () => ({ rows: grid.cells.length, places: [1, 2], read }),
    });
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

const groups: Groups = {
  generation: 1,
  total: 2,
  groups: [
    {
      keys: [{ text: "Brent", condition: { kind: "values", values: ["Brent"], empty: false } }],
      rows: 1_204,
      figures: ["1204"],
    },
    {
      keys: [{ text: null, condition: { kind: "values", values: [], empty: true } }],
      rows: 7,
      figures: ["7"],
    },
  ],
};

async function open() {
  const fake = makeRows();
  vi.mocked(fake.backend.groupRows).mockResolvedValue(groups);
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await waitFor(() => expect(screen.getByTestId("grid")).toBeInTheDocument());
  return { fake, user };
}

const requests = (fake: ReturnType<typeof makeRows>) =>
  vi.mocked(fake.backend.groupRows).mock.calls.map(([, , request]) => request);

it("groups by the column of a menu, and shows the rows of a group", async () => {
  const { fake, user } = await open();
  act(() => grid.props?.handlers.ask("group_by", { row: null, path: "product" }));
  const table = await screen.findByTestId("groups");
  expect(
    within(table)
      .getAllByTestId("group")
      .map((row) => row.textContent),
  ).toEqual(["Brent1,204", "empty7"]);
  expect(requests(fake).at(-1)).toMatchObject({
    by: [{ path: "product" }],
    zone: "Europe/London",
    figures: [{ what: "count", path: null }],
    sort: null,
  });
  expect(screen.getByTestId("groups-state")).toHaveTextContent("2 groups; a click on a group shows its rows");
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  const found = await axe.run(screen.getByTestId("summary"), {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(found.violations.flatMap(({ nodes }) => nodes.map(({ html }) => html))).toEqual([]);

  await user.click(screen.getByRole("button", { name: "Show the 1,204 rows of Brent" }));
  expect(await screen.findByTestId("narrowed")).toHaveTextContent("1,204 of 48,211 rows");
  expect(screen.getByTestId("filter-chip")).toHaveTextContent("product is Brent");
  expect(await screen.findByTestId("grid")).toHaveTextContent("1204");
});

it("sorts the groups, adds figures, and copies all of them as a table", async () => {
  const { fake, user } = await open();
  await user.keyboard("{Control>}{Shift>}G{/Shift}{/Control}");
  expect(await screen.findByTestId("groups-state")).toHaveTextContent("Choose a column to group by.");
  expect(requests(fake)).toEqual([]);
  await user.click(screen.getByTestId("add-group"));
  await screen.findByTestId("groups");
  await user.click(screen.getByRole("button", { name: "Rows" }));
  await waitFor(() => expect(requests(fake).at(-1)?.sort).toEqual({ column: 1, descending: true }));
  expect(screen.getByRole("columnheader", { name: /Rows/ })).toHaveAttribute("aria-sort", "descending");
  await user.click(screen.getByTestId("copy-groups"));
  await waitFor(() => expect(fake.backend.copyText).toHaveBeenCalledWith("product\tRows\nBrent\t1204\n\t7"));
  expect(requests(fake).at(-1)?.limit).toBe(100_000);
  await user.click(screen.getByTestId("add-figure"));
  await waitFor(() =>
    expect(requests(fake).at(-1)).toMatchObject({
      figures: [{ what: "count" }, { what: "sum", path: "price" }],
      sort: null,
    }),
  );
});

it("exports all groups, in the order shown", async () => {
  const { fake, user } = await open();
  await user.click(screen.getByTestId("tab-summary"));
  await user.click(screen.getByTestId("add-group"));
  await screen.findByTestId("groups");
  await user.click(screen.getByRole("button", { name: "Rows" }));
  await waitFor(() => expect(requests(fake).at(-1)?.sort).toEqual({ column: 1, descending: true }));
  await user.click(screen.getByTestId("groups-export"));
  await user.click(await screen.findByTestId("export-format-xlsx"));
  expect(screen.queryByTestId("export-which-columns")).toBeNull();
  await user.click(screen.getByTestId("export-start"));
  const [, key, rows, groups, options] = vi.mocked(fake.backend.exportGroups).mock.lastCall ?? [];
  expect(key).toEqual(vi.mocked(fake.backend.groupRows).mock.lastCall?.[0]);
  expect(rows).toMatchObject({ role: "input" });
  expect(groups).toEqual(requests(fake).at(-1));
  expect(options).toMatchObject({ format: "xlsx", columns: [] });
});

it("shows what a column contains, and narrows the rows to one of its values", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.columnSums).mockResolvedValue(
    makeSums({
      rows: 48_211,
      filled: 48_000,
      distinct: 3,
      numbers: 48_000,
      sum: "9007199254740993",
      min: "0",
      max: "2",
    }),
  );
  vi.mocked(fake.backend.columnValues).mockResolvedValue({
    generation: 1,
    values: [{ value: "2", rows: 40_000 }],
    further: 2,
    empty: 211,
  });
  act(() => grid.props?.handlers.ask("column_summary", { row: null, path: "price" }));
  const summary = await screen.findByTestId("column-summary");
  expect(await within(summary).findByText("9007199254740993")).toBeInTheDocument();
  expect(summary).toHaveTextContent("empty211");
  const bars = await within(summary).findByRole("listbox", { name: "By size" });
  expect(within(bars).getAllByRole("option")[0]).toHaveAccessibleName(/^below 0.2: /);
  const tests = vi
    .mocked(fake.backend.rowCount)
    .mock.calls.map(([, { filters = [] }]) => filters.at(-1)?.condition);
  expect(tests).toContainEqual({ kind: "text", text: "<0.2" });
  await user.click(within(summary).getByRole("button", { name: "Filter: 2, 40,000 rows" }));
  expect(await screen.findByTestId("filter-chip")).toHaveTextContent("price is 2");
});

it("narrows the rows to bars of the histogram, which are chosen first", async () => {
  const { fake, user } = await open();
  const numbers = { numbers: 48_000, sum: "9", min: "0", max: "2" };
  vi.mocked(fake.backend.columnSums).mockResolvedValue(makeSums(numbers));
  act(() => grid.props?.handlers.ask("column_summary", { row: null, path: "price" }));
  const bars = await screen.findByRole("listbox", { name: "By size" });
  within(bars).getAllByRole("option")[1]?.focus();
  await user.keyboard("{ArrowRight}{Shift>}{ArrowRight}{/Shift}");
  await user.click(screen.getByTestId("histogram-filter"));
  expect(await screen.findByTestId("filter-chip")).toHaveTextContent("price: >=0.4, !>=0.8");
  expect(screen.queryByTestId("column-summary")).not.toBeInTheDocument();
});

it("adds up the selected cells, the numbers digit for digit", async () => {
  await open();
  grid.cells = [
    ["id1", "Brent", "9007199254740993"],
    ["id2", "Gas", "0.50"],
  ];
  act(() => grid.props?.handlers.selected({ rows: 2, columns: 2 }));
  expect(await screen.findByTestId("selection-sums")).toHaveTextContent(
    "4 cells, 2 numberssum 9007199254740993.50average 4503599627370496.75min 0.50max 9007199254740993",
  );
  act(() => grid.props?.handlers.selected({ rows: 1, columns: 1 }));
  expect(screen.queryByTestId("selection-sums")).not.toBeInTheDocument();
});

it("shows the numbers of all columns in a format, and remembers it", async () => {
  const { user } = await open();
  act(() => grid.props?.handlers.ask("format", { row: null, path: "price" }));
  await screen.findByTestId("format-dialog");
  expect(screen.getByTestId("format-example")).toHaveTextContent("1234567.891 -0.5");
  await user.click(screen.getByRole("button", { name: /Thousands/ }));
  await user.click(await screen.findByRole("option", { name: "1,234,567.5" }));
  await user.click(screen.getByRole("button", { name: /Decimals/ }));
  await user.click(await screen.findByRole("option", { name: "1" }));
  expect(screen.getByTestId("format-example")).toHaveTextContent("1,234,567.9 -0.5");
  const number = { separator: "comma", decimals: 1, sign: "minus" };
  expect(grid.props?.prefs.formats).toEqual({ all: {}, of: { price: { number } } });
  await user.click(screen.getByRole("checkbox", { name: "For all columns of numbers" }));
  expect(grid.props?.prefs.formats).toEqual({ all: { number }, of: { price: {} } });
});

// The filters of the rows: they narrow what is shown and exported, and never the query.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { ColumnFilter, RowCount } from "../backend";
import type { Filters } from "../rows/filters";
import type { Content, FilterFields, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import type { Fake } from "../test/fakeBackend";
import { makeRows, textFilter as text } from "../test/rowsFake";
import { makeGridHandle } from "../test/gridHandle";
import { later } from "../test/later";
import { makeAnswer, makeFailure, makePartial } from "../test/made";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({ props: null as Drawn | null, focusFilter: vi.fn() }));
interface Drawn {
  content: Content;
  handlers: Handlers;
  filters: FilterFields;
  ref: React.RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({ focusFilter: grid.focusFilter });
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

const SIGNATURE = "5".repeat(32);
async function openRows(fake = makeRows(), answer = makeAnswer()) {
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, answer);
  await waitFor(() => expect(screen.getByTestId("grid")).toBeInTheDocument());
  return { fake, user };
}

const type = (path: string, typed: string) => act(() => grid.props?.handlers.filter(path, typed));
const chips = () => screen.queryAllByTestId("filter-chip").map((chip) => chip.textContent);
const kept = () => (JSON.parse(localStorage.getItem("tidemark.filters") ?? "{}") as Filters).by.input;
const readFilters = async (fake: Fake) => {
  await grid.props?.content.read(0, 10, [0]);
  return vi.mocked(fake.backend.page).mock.lastCall?.[1].filters ?? [];
};

it("narrows what is shown, read, opened and exported, and says so", async () => {
  const { fake, user } = await openRows();
  expect(screen.queryByTestId("narrowed")).not.toBeInTheDocument();
  expect(grid.props?.content.reading_order).toEqual([1, 2, 0]);
  const all = grid.props?.content.identity;
  type("product", "Brent");
  expect(await screen.findByTestId("narrowed")).toHaveTextContent("1,204 of 48,211 rows");
  expect(grid.props?.content.length).toBe(1_204);
  // Other rows: the grid goes back to the top.
  expect(grid.props?.content.identity).not.toBe(all);
  const filters = [text("product", "Brent")];
  expect(await readFilters(fake)).toEqual(filters);
  act(() => grid.props?.handlers.open(1));
  await waitFor(() =>
    expect(fake.backend.rowDetail).toHaveBeenCalledWith(
      expect.anything(),
      { role: "input", sorts: [], filters },
      1,
    ),
  );
  expect(screen.getByTestId("export-button")).toHaveTextContent("Export filtered");
  await user.click(screen.getByTestId("export-button"));
  await user.click(screen.getByTestId("export-start"));
  expect(vi.mocked(fake.backend.exportRows).mock.lastCall?.[2]).toEqual({
    role: "input",
    sorts: [],
    filters,
  });
  // The query has the trades that it had.
  expect(screen.getByTestId("row-count-input")).toHaveTextContent("48,211");
  expect(fake.backend.fetch).toHaveBeenCalledOnce();
});

it("names a file that is both partial and filtered so", async () => {
  await openRows(makeRows(), makePartial(["2025-01-31"]));
  type("product", "Brent");
  await screen.findByTestId("narrowed");
  expect(screen.getByTestId("export-button")).toHaveTextContent("Export partial, filtered");
});

it("has filters as chips that are switched off and on one by one, and removed", async () => {
  const { fake, user } = await openRows();
  type("product", "Brent");
  await screen.findByTestId("narrowed");
  type("price", ">=5");
  await waitFor(() => expect(chips()).toEqual(["product: Brent", "price: >=5"]));
  const chip = screen.getByRole("button", { name: "product: Brent" });
  expect(chip).toHaveAttribute("aria-pressed", "true");
  await user.click(chip);
  await waitFor(async () => expect(await readFilters(fake)).toEqual([text("price", ">=5")]));
  expect(screen.getByRole("button", { name: "product: Brent" })).toHaveAttribute("aria-pressed", "false");
  expect(kept()[0]).toEqual({ ...text("product", "Brent"), off: true });
  await user.click(screen.getByRole("button", { name: "product: Brent" }));
  await waitFor(async () => expect(await readFilters(fake)).toHaveLength(2));
  await user.click(screen.getByRole("button", { name: "Remove the filter product: Brent" }));
  await waitFor(() => expect(chips()).toEqual(["price: >=5"]));
  type("product", "Gas");
  await user.click(await screen.findByTestId("filters-remove"));
  await waitFor(() => expect(chips()).toEqual([]));
  expect(grid.props?.content.length).toBe(48_211);
  expect(await readFilters(fake)).toEqual([]);
});

it("stops the question before when a filter changes, and never shows its late answer", async () => {
  const { fake } = await openRows();
  const [first, second] = [later<RowCount>(), later<RowCount>()];
  vi.mocked(fake.backend.rowCount).mockReturnValueOnce(first.promise).mockReturnValueOnce(second.promise);
  type("product", "Br");
  expect(grid.props?.content.length).toBe(48_211);
  expect(screen.getByText("Filtering…")).toBeInTheDocument();
  type("product", "Brent");
  const asked = vi.mocked(fake.backend.rowCount).mock.calls;
  expect(fake.backend.cancelRows).toHaveBeenCalledExactlyOnceWith(asked[0]?.[2]);
  await act(() => Promise.resolve(second.resolve({ generation: 1, rows: 7, of: 48_211 })));
  await waitFor(() => expect(grid.props?.content.length).toBe(7));
  await act(() => Promise.resolve(first.resolve({ generation: 1, rows: 9, of: 48_211 })));
  expect(grid.props?.content.length).toBe(7);
  expect(kept()).toEqual([text("product", "Brent")]);
  expect(screen.queryByText("Filtering…")).not.toBeInTheDocument();
});

const refused = (path: string) =>
  makeFailure("bad_filter", "Something has to follow = (character 1).", { field: "column", path });

it("keeps the last good rows while a filter is mistaken, and says at its field what is wrong", async () => {
  const { fake } = await openRows();
  type("product", "Brent");
  await screen.findByTestId("narrowed");
  vi.mocked(fake.backend.rowCount).mockRejectedValueOnce(refused("product"));
  type("product", "=");
  const line = await screen.findByTestId("filter-mistakes");
  expect(line).toHaveTextContent("Something has to follow = (character 1).");
  expect(grid.props?.filters.cells["product"]).toEqual({
    text: "=",
    note: "",
    mistake: "Something has to follow = (character 1).",
  });
  expect(grid.props?.content.length).toBe(1_204);
  expect(await readFilters(fake)).toEqual([text("product", "Brent")]);
  expect(chips()).toEqual(["product: Brent"]);
  expect(kept()).toEqual([text("product", "Brent")]);
  // The other columns can be filtered meanwhile, and the mistake stays until it is corrected.
  type("price", ">5");
  await waitFor(() => expect(chips()).toEqual(["product: Brent", "price: >5"]));
  expect(screen.getByTestId("filter-mistakes")).toBeInTheDocument();
  type("product", "");
  await waitFor(() => expect(chips()).toEqual(["price: >5"]));
  expect(screen.queryByTestId("filter-mistakes")).not.toBeInTheDocument();
});

it("applies what was right of two changes of which one was wrong", async () => {
  const { fake } = await openRows();
  const first = later<RowCount>();
  vi.mocked(fake.backend.rowCount).mockReturnValueOnce(first.promise).mockRejectedValueOnce(refused("price"));
  type("product", "Brent");
  type("price", "=");
  await screen.findByTestId("filter-mistakes");
  expect(chips()).toEqual(["product: Brent"]);
  expect(await readFilters(fake)).toEqual([text("product", "Brent")]);
  // A mistake that is taken back leaves nothing behind.
  type("price", "");
  await waitFor(() => expect(screen.queryByTestId("filter-mistakes")).not.toBeInTheDocument());
});

it("says what else keeps it from filtering, and keeps the rows", async () => {
  const { fake } = await openRows();
  vi.mocked(fake.backend.rowCount).mockRejectedValueOnce(
    makeFailure("cache_busy", "Another has the file open."),
  );
  type("product", "Brent");
  expect(await screen.findByTestId("filter-failure")).toHaveTextContent("Another has the file open.");
  expect(grid.props?.content.length).toBe(48_211);
  expect(chips()).toEqual([]);
});

const store = (signature: string, input: ColumnFilter[]) =>
  localStorage.setItem("tidemark.filters", JSON.stringify({ signature, by: { input, downstream: [] } }));

it("restores the filters of the same query, without showing all rows first", async () => {
  store(SIGNATURE, [text("product", "Brent")]);
  const fake = makeRows();
  const counted = later<RowCount>();
  vi.mocked(fake.backend.rowCount).mockReturnValue(counted.promise);
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, makeAnswer());
  await screen.findByText("Filtering…");
  expect(screen.queryByTestId("grid")).not.toBeInTheDocument();
  await act(() => Promise.resolve(counted.resolve({ generation: 1, rows: 3, of: 48_211 })));
  expect(await screen.findByTestId("grid")).toHaveTextContent("3");
  expect(screen.getByTestId("narrowed")).toHaveTextContent("3 of 48,211 rows");
});

it("does not restore the filters of a different query", async () => {
  store("6".repeat(32), [text("product", "Brent")]);
  const { fake } = await openRows();
  expect(chips()).toEqual([]);
  expect(fake.backend.rowCount).not.toHaveBeenCalled();
});

it("ignores the filter of a column that these rows lack, and says so", async () => {
  store(SIGNATURE, [text("gone", "x"), text("product", "Brent")]);
  const { fake } = await openRows();
  expect(await readFilters(fake)).toEqual([text("product", "Brent")]);
  expect(chips()[0]).toBe("gone: x (ignored: these rows have no such column)");
});

it("has filters of each tab, and says if no row is left by them", async () => {
  const { fake, user } = await openRows();
  vi.mocked(fake.backend.rowCount).mockResolvedValue({ generation: 1, rows: 0, of: 48_211 });
  type("product", "nothing");
  expect(await screen.findByText("No row meets the filters of the columns.")).toBeInTheDocument();
  await user.click(screen.getByTestId("tab-downstream"));
  await waitFor(() => expect(chips()).toEqual([]));
  expect(screen.getByTestId("grid")).toHaveTextContent("48211");
  await user.click(screen.getByTestId("tab-input"));
  expect(await screen.findByTestId("narrowed")).toHaveTextContent("0 of 48,211 rows");
});

it("counts again when the rows have changed", async () => {
  const { fake } = await openRows();
  type("product", "Brent");
  await screen.findByTestId("narrowed");
  const shape = await fake.backend.viewShape({ signature: SIGNATURE, from: "", to: "" }, "input");
  vi.mocked(fake.backend.viewShape).mockResolvedValue({ ...shape, generation: 2, rows: 50_000 });
  // At first the count still comes from an even later state than the columns.
  vi.mocked(fake.backend.rowCount)
    .mockResolvedValueOnce({ generation: 3, rows: 8, of: 50_001 })
    .mockResolvedValue({ generation: 3, rows: 9, of: 50_001 });
  act(() => grid.props?.handlers.outdated());
  await waitFor(() => expect(vi.mocked(fake.backend.rowCount).mock.calls.length).toBeGreaterThan(1));
  vi.mocked(fake.backend.viewShape).mockResolvedValue({ ...shape, generation: 3, rows: 50_001 });
  await waitFor(() => expect(screen.getByTestId("narrowed")).toHaveTextContent("9 of 50,001 rows"));
  expect(grid.props?.content.generation).toBe(3);
});

it("shows the fields by key and by button, with the focus in them, and remembers it", async () => {
  const { user } = await openRows();
  expect(grid.props?.filters.shown).toBe(false);
  await user.keyboard("{Control>}{Shift>}f{/Shift}{/Control}");
  expect(grid.props?.filters.shown).toBe(true);
  expect(grid.focusFilter).toHaveBeenCalledExactlyOnceWith("_id");
  expect(localStorage.getItem("tidemark.filterRow")).toBe("true");
  const button = screen.getByTestId("filter-row-button");
  expect(button).toHaveAttribute("aria-pressed", "true");
  await user.click(button);
  expect(grid.props?.filters.shown).toBe(false);
  expect(grid.focusFilter).toHaveBeenCalledOnce();
});

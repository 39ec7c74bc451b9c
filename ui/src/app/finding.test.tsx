// Finding a text in the rows, going to one of them, and adding up a column: nothing of it narrows them.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import type { ColumnSums, FoundText } from "../backend";
import type { Content, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { later } from "../test/later";
import { makeFailure, makeSums } from "../test/made";
import { makeRows, textFilter } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

interface Drawn {
  content: Content;
  handlers: Handlers;
  ref: React.RefObject<GridHandle | null>;
}
const grid = vi.hoisted(
  (): { props: Drawn | null; row: number; goTo: (row: number) => void; focus: () => void } => ({
    props: null,
    row: 0,
    goTo: vi.fn(),
    focus: vi.fn(),
  }),
);
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({
      here: () => ({ row: grid.row, path: "price" }),
      goTo: (row) => {
        grid.row = row;
        grid.goTo(row);
      },
      focus: grid.focus,
    });
    return <div data-testid="grid" />;
  },
}));

beforeEach(() => {
  grid.row = 0;
  vi.mocked(grid.goTo).mockClear();
  vi.mocked(grid.focus).mockClear();
});

async function openRows(fake = makeRows()) {
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await waitFor(() => expect(screen.getByTestId("grid")).toBeInTheDocument());
  return { fake, user };
}

const FOUND = [4, 700, 48_000];

/** A search over rows of which three have the text. */
async function openFind() {
  const fake = makeRows();
  vi.mocked(fake.backend.findRow).mockImplementation((_key, _rows, _text, from, forwards) => {
    const at = forwards
      ? FOUND.findIndex((row) => row >= from)
      : FOUND.filter((row) => row <= from).length - 1;
    const position = FOUND[at] ?? null;
    const number = position === null ? null : at + 1;
    return Promise.resolve({ generation: 1, position, number, total: FOUND.length });
  });
  const made = await openRows(fake);
  await made.user.keyboard("{Control>}f{/Control}");
  await waitFor(() => expect(screen.getByTestId("find-input")).toHaveFocus());
  return made;
}

const state = () => screen.getByTestId("find-state");

it("finds the rows with a text one after the other, both ways and around, and narrows nothing", async () => {
  const { fake, user } = await openFind();
  grid.row = 4;
  await user.keyboard("brent{Enter}");
  // The active row is looked at, too.
  await waitFor(() => expect(state()).toHaveTextContent("1 of 3"));
  expect(grid.goTo).toHaveBeenLastCalledWith(4);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("2 of 3"));
  await user.keyboard("{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("3 of 3"));
  await user.keyboard("{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("1 of 3, on from the first row"));
  expect(grid.goTo).toHaveBeenLastCalledWith(4);
  await user.keyboard("{Shift>}{Enter}{/Shift}");
  await waitFor(() => expect(state()).toHaveTextContent("3 of 3, on from the last row"));
  expect(grid.goTo).toHaveBeenLastCalledWith(48_000);
  await user.click(screen.getByRole("button", { name: "Find the row before" }));
  await waitFor(() => expect(state()).toHaveTextContent(/^2 of 3$/));
  expect(grid.props?.content.length).toBe(48_211);
  const asked = vi
    .mocked(fake.backend.findRow)
    .mock.calls.map(([, , text, from, forwards]) => [text, from, forwards]);
  expect(asked.slice(0, 2)).toEqual([
    ["brent", 4, true],
    ["brent", 5, true],
  ]);
});

it("closes on Escape, which stops the search and gives the focus back", async () => {
  const { fake, user } = await openFind();
  vi.mocked(fake.backend.findRow).mockReturnValue(later<FoundText>().promise);
  await user.keyboard("x{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("Searching…"));
  const id = vi.mocked(fake.backend.findRow).mock.lastCall?.[5];
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("find-bar")).not.toBeInTheDocument();
  expect(fake.backend.cancelRows).toHaveBeenCalledExactlyOnceWith(id);
  expect(grid.focus).toHaveBeenCalled();
  expect(fake.backend.cancel).not.toHaveBeenCalled();
});

it("stops a search whose text has changed, and takes no late answer for that of another text", async () => {
  const { fake, user } = await openFind();
  const slow = later<FoundText>();
  vi.mocked(fake.backend.findRow).mockReturnValueOnce(slow.promise);
  await user.keyboard("x{Enter}y");
  expect(fake.backend.cancelRows).toHaveBeenCalledOnce();
  await act(() => Promise.resolve(slow.resolve({ generation: 1, position: 9, number: 1, total: 1 })));
  expect(grid.goTo).not.toHaveBeenCalled();
  expect(state()).toBeEmptyDOMElement();
});

it("says if no row has the text, or why it could not be searched, and reads rows of another state again", async () => {
  const { fake, user } = await openFind();
  const none = { generation: 1, position: null, number: null, total: 0 };
  vi.mocked(fake.backend.findRow).mockResolvedValueOnce(none);
  await user.keyboard("nothing{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("No row has this text"));
  vi.mocked(fake.backend.findRow).mockRejectedValueOnce(makeFailure("cache_busy", "Another has the file."));
  await user.keyboard("{Enter}");
  await waitFor(() => expect(state()).toHaveTextContent("Another has the file."));
  const before = vi.mocked(fake.backend.viewShape).mock.calls.length;
  vi.mocked(fake.backend.findRow).mockResolvedValueOnce({ generation: 2, position: 3, number: 1, total: 1 });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(vi.mocked(fake.backend.viewShape).mock.calls.length).toBeGreaterThan(before));
  expect(grid.goTo).not.toHaveBeenCalled();
});

it("searches the rows that the filters leave, in their order", async () => {
  const { fake, user } = await openFind();
  act(() => grid.props?.handlers.filter("product", "Gas"));
  act(() => grid.props?.handlers.sort([{ path: "price", descending: true }]));
  await screen.findByTestId("narrowed");
  await user.keyboard("x{Enter}");
  await waitFor(() => expect(fake.backend.findRow).toHaveBeenCalled());
  expect(vi.mocked(fake.backend.findRow).mock.lastCall?.[1]).toEqual({
    role: "input",
    sorts: [{ path: "price", descending: true }],
    filters: [textFilter("product", "Gas")],
  });
});

it("goes to a row by its number, and says which numbers there are", async () => {
  const { user } = await openRows();
  await user.keyboard("{Control>}g{/Control}");
  await waitFor(() => expect(screen.getByTestId("go-to-input")).toHaveFocus());
  for (const wrong of ["0", "48212", "ten", "1.5"]) {
    await user.clear(screen.getByTestId("go-to-input"));
    await user.keyboard(`${wrong}{Enter}`);
    expect(screen.getByTestId("go-to-state")).toHaveTextContent("there are 48,211 rows");
    expect(grid.goTo).not.toHaveBeenCalled();
  }
  await user.clear(screen.getByTestId("go-to-input"));
  await user.keyboard("48,211{Enter}");
  expect(grid.goTo).toHaveBeenCalledExactlyOnceWith(48_210);
  expect(screen.queryByTestId("go-to-bar")).not.toBeInTheDocument();
  expect(grid.focus).toHaveBeenCalled();
});

const SUMS: ColumnSums = makeSums({
  rows: 48_211,
  filled: 48_000,
  distinct: 900,
  numbers: 47_999,
  sum: "9007199254740993.10000000000000000001",
  average: "187647.5",
  min: "-0.50",
  max: "1E+30",
});
const ask = (path: string) => act(() => grid.props?.handlers.ask("sums", { row: 0, path }));

it("adds up the active column on demand, under the filters, digit for digit", async () => {
  const fake = makeRows();
  vi.mocked(fake.backend.columnSums).mockResolvedValue(SUMS);
  await openRows(fake);
  act(() => grid.props?.handlers.active(3, "product"));
  expect(screen.queryByTestId("sums")).not.toBeInTheDocument();
  expect(fake.backend.columnSums).not.toHaveBeenCalled();
  ask("price");
  const sums = await screen.findByTestId("sums");
  await waitFor(() => expect(sums).toHaveTextContent("sum 9007199254740993.10000000000000000001"));
  expect(sums).toHaveTextContent("48,000 of 48,211 rows filled, 47,999 of them numbers, 900 different");
  expect(sums).toHaveTextContent("average 187647.5minimum -0.50maximum 1E+30");
  // It follows the column that is active, and the filters.
  act(() => grid.props?.handlers.filter("price", ">5"));
  act(() => grid.props?.handlers.active(3, "product"));
  await waitFor(() => expect(vi.mocked(fake.backend.columnSums).mock.lastCall?.[2]).toBe("product"));
  await waitFor(() =>
    expect(vi.mocked(fake.backend.columnSums).mock.lastCall?.[1].filters).toEqual([
      textFilter("price", ">5"),
    ]),
  );
  ask("product");
  expect(screen.queryByTestId("sums")).not.toBeInTheDocument();
});

it("has no figures of what is no number, says why there are none, and reads again what has changed", async () => {
  const fake = makeRows();
  const none = { numbers: 0, sum: null, average: null, min: "a", max: "z" };
  vi.mocked(fake.backend.columnSums).mockResolvedValueOnce(makeSums({ ...SUMS, ...none }));
  await openRows(fake);
  ask("product");
  const sums = await screen.findByTestId("sums");
  await waitFor(() => expect(sums).toHaveTextContent("900 differentminimum amaximum z"));
  expect(sums).not.toHaveTextContent("sum");
  vi.mocked(fake.backend.columnSums).mockRejectedValueOnce(
    makeFailure("cache_busy", "Another has the file."),
  );
  act(() => grid.props?.handlers.active(3, "_id"));
  await waitFor(() => expect(sums).toHaveTextContent("Another has the file."));
  const before = vi.mocked(fake.backend.viewShape).mock.calls.length;
  vi.mocked(fake.backend.columnSums).mockResolvedValue({ ...SUMS, generation: 2 });
  act(() => grid.props?.handlers.active(3, "price"));
  await waitFor(() => expect(vi.mocked(fake.backend.viewShape).mock.calls.length).toBeGreaterThan(before));
  expect(sums).toHaveTextContent("Adding up…");
});

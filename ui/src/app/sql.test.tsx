// SQL on an answer: from the text to the grid, the file and back to a mistake.

import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, it, vi } from "vitest";

import type { Sort, SqlResult } from "../backend";
import type { Content, Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { later } from "../test/later";
import { makeAnswer, makeFailure } from "../test/made";
import { makeRows } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

interface Drawn {
  label: string;
  content: Content;
  sorts: Sort[];
  handlers: Handlers;
  ref: React.RefObject<GridHandle | null>;
}
const grid = vi.hoisted((): { props: Drawn | null; perform: ReturnType<typeof vi.fn> } => ({
  props: null,
  perform: vi.fn(),
}));
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({ perform: grid.perform as GridHandle["perform"] });
    return <div data-testid="grid" aria-label={props.label} role="grid" />;
  },
}));

// axe looks for icon fonts by drawing; there is nothing to draw on.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

const RESULT: SqlResult = {
  id: 7,
  columns: [
    { name: "product", sql_type: "VARCHAR", numeric: false },
    { name: "lots", sql_type: "HUGEINT", numeric: true },
  ],
  rows: 1_204,
  elapsed_ms: 1_300,
};

async function openSql(fake = makeRows(), answer = makeAnswer()) {
  vi.mocked(fake.backend.sqlTables).mockResolvedValue([
    { name: "trades", rows: 48_211, columns: [{ name: '"price.value"', sql_type: "DECIMAL(18,4)" }] },
    { name: "messages", rows: 9, columns: [{ name: "product", sql_type: "VARCHAR" }] },
  ]);
  vi.mocked(fake.backend.runSql).mockResolvedValue(RESULT);
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, answer);
  await screen.findByTestId("columns-button");
  await user.keyboard("{Control>}{Shift>}q{/Shift}{/Control}");
  const text = await screen.findByTestId<HTMLTextAreaElement>("sql-text");
  await waitFor(() => expect(text).toHaveFocus());
  const type = async (sql: string) => {
    await user.clear(text);
    await user.paste(sql);
  };
  return { fake, user, text, type };
}

const RUN = "{Control>}{Enter}{/Control}";
const problems = async () => {
  const found = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
};

it("runs SQL on the rows that are shown, and shows its result by pages and in an order", async () => {
  const { fake, user, type } = await openSql();
  const fetches = vi.mocked(fake.backend.fetch).mock.calls.length;
  await type("select product, sum(lots) lots from trades group by 1");
  await user.keyboard(RUN);
  await waitFor(() => expect(screen.getByTestId("sql-state")).toHaveTextContent("1,204 rows in 1.3 s"));
  expect(vi.mocked(fake.backend.fetch)).toHaveBeenCalledTimes(fetches);
  const [key, narrowed, text] = vi.mocked(fake.backend.runSql).mock.lastCall ?? [];
  expect(text).toBe("select product, sum(lots) lots from trades group by 1");
  expect(narrowed).toEqual([
    { role: "input", sorts: [] },
    { role: "downstream", sorts: [] },
  ]);
  expect(grid.props?.content.columns.map(({ path }) => path)).toEqual(["product", "lots"]);
  expect(grid.props?.content.length).toBe(1_204);
  vi.mocked(fake.backend.sqlPage).mockResolvedValue({ rows: [["Brent", "5"]] });
  expect(await grid.props?.content.read(100, 50, [0, 1])).toEqual({ rows: [["Brent", "5"]], generation: 0 });
  expect(vi.mocked(fake.backend.sqlPage).mock.lastCall?.slice(0, 5)).toEqual([key, 7, [], 100, 50]);
  const before = grid.props?.content.identity;
  act(() => grid.props?.handlers.sort([{ path: "lots", descending: true }]));
  expect(grid.props?.content.identity).not.toBe(before);
  await grid.props?.content.read(0, 50, [0, 1]);
  expect(vi.mocked(fake.backend.sqlPage).mock.lastCall?.[2]).toEqual([{ column: 1, descending: true }]);
  expect(await problems()).toEqual([]);
});

it("leads to the place of a mistake, and keeps the result that there was", async () => {
  const { fake, user, text, type } = await openSql();
  await user.keyboard(RUN);
  await screen.findByRole("grid", { name: "Result of the SQL" });
  const refused = makeFailure("bad_filter", "There is no column nope (line 2, column 3).", {
    field: "sql",
    line: 2,
    column: 3,
  });
  vi.mocked(fake.backend.runSql).mockRejectedValueOnce(refused);
  await type("select\n  nope\nfrom trades");
  await user.keyboard(RUN);
  expect(await screen.findByTestId("sql-failure")).toHaveTextContent("There is no column nope");
  expect(screen.getByTestId("sql-mistake")).toHaveTextContent(/^nope$/);
  expect(text).toHaveFocus();
  expect(text).toHaveAttribute("aria-invalid", "true");
  expect(text.selectionStart).toBe("select\n  ".length);
  expect(screen.getByRole("grid", { name: "Result of the SQL" })).toBeInTheDocument();
  expect(await problems()).toEqual([]);
  await user.keyboard("x");
  expect(text.value).toBe("select\n  xnope\nfrom trades");
  expect(screen.queryByTestId("sql-mistake")).not.toBeInTheDocument();
});

it("is cancelled with Escape or its button, in the engine too", async () => {
  const { fake, user } = await openSql();
  const slow = later<SqlResult>();
  vi.mocked(fake.backend.runSql).mockReturnValue(slow.promise);
  await user.keyboard(RUN);
  await waitFor(() => expect(screen.getByTestId("sql-state")).toHaveTextContent("Running"));
  const id = vi.mocked(fake.backend.runSql).mock.lastCall?.[3];
  await user.keyboard(RUN);
  expect(fake.backend.runSql).toHaveBeenCalledOnce();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(fake.backend.cancelRows).toHaveBeenCalledWith(id));
  expect(screen.getByTestId("sql-state")).not.toHaveTextContent("Running");
  expect(fake.backend.cancel).not.toHaveBeenCalled();
  // The result arrived although it was cancelled, and is not shown.
  act(() => slow.resolve(RESULT));
  await waitFor(() => expect(vi.mocked(fake.backend.closeSql).mock.lastCall?.[1]).toBe(7));
  expect(screen.queryByRole("grid")).not.toBeInTheDocument();
  vi.mocked(fake.backend.runSql).mockReturnValue(later<SqlResult>().promise);
  await user.keyboard(RUN);
  await user.click(screen.getByTestId("sql-cancel"));
  expect(fake.backend.cancelRows).toHaveBeenCalledTimes(2);
});

it("inserts the names of columns as they have to be written", async () => {
  const { user, text, type } = await openSql();
  await type("select  from trades");
  text.setSelectionRange(7, 7);
  const tables = screen.getByTestId("sql-tables");
  expect(
    within(tables)
      .getAllByRole("option")
      .map((one) => one.textContent),
  ).toEqual(["tradestable", '"price.value"DECIMAL(18,4)', "messagestable", "productVARCHAR"]);
  await user.click(within(tables).getByRole("option", { name: /price.value/ }));
  expect(text.value).toBe('select "price.value" from trades');
  expect(text).toHaveFocus();
  expect(text.selectionStart).toBe('select "price.value"'.length);
  await user.type(screen.getByTestId("sql-find-column"), "PROD");
  expect(within(tables).getAllByRole("option")).toHaveLength(1);
});

it("remembers what was run for the source, and stays while other tabs are shown", async () => {
  const { fake, user, text, type } = await openSql();
  await type("select 1");
  await user.keyboard(RUN);
  await screen.findByRole("grid", { name: "Result of the SQL" });
  await type("select 2");
  await user.keyboard(RUN);
  await waitFor(() => expect(fake.backend.runSql).toHaveBeenCalledTimes(2));
  // A result that another took the place of is closed.
  await waitFor(() => expect(fake.backend.closeSql).toHaveBeenCalledOnce());
  await user.keyboard("{Alt>}{ArrowUp}{ArrowUp}{/Alt}");
  expect(text.value).toBe("select 1");
  await user.keyboard("{Alt>}{ArrowDown}{/Alt}");
  expect(text.value).toBe("select 2");
  await user.click(screen.getByTestId("sql-history"));
  await user.click(await screen.findByRole("menuitem", { name: "select 1" }));
  expect(text.value).toBe("select 1");
  expect(screen.getByTestId("sql-state")).toHaveTextContent("the SQL has changed since");
  await user.click(screen.getByTestId("tab-input"));
  expect(await screen.findByRole("grid", { name: "Trades" })).toBeInTheDocument();
  await user.click(screen.getByTestId("tab-sql"));
  expect(await screen.findByTestId("sql-text")).toHaveValue("select 1");
  expect(screen.getByRole("grid", { name: "Result of the SQL" })).toBeInTheDocument();
});

it("reads the rows under their filters, and says if they have changed since", async () => {
  const { fake, user } = await openSql();
  await user.keyboard(RUN);
  await screen.findByRole("grid", { name: "Result of the SQL" });
  expect(screen.queryByTestId("sql-filtered")).not.toBeInTheDocument();
  await user.click(screen.getByTestId("tab-input"));
  await screen.findByRole("grid", { name: "Trades" });
  act(() => grid.props?.handlers.filter("product", "Gas"));
  await screen.findByTestId("filter-chip");
  await user.click(screen.getByTestId("tab-sql"));
  expect(await screen.findByTestId("sql-state")).toHaveTextContent("the filters of the rows have changed");
  expect(screen.getByTestId("tab-sql")).toHaveFocus();
  await user.click(screen.getByTestId("sql-run"));
  await waitFor(() => expect(fake.backend.runSql).toHaveBeenCalledTimes(2));
  expect(vi.mocked(fake.backend.runSql).mock.lastCall?.[1][0]?.filters).toEqual([
    { path: "product", condition: { kind: "text", text: "Gas" } },
  ]);
  expect(screen.getByTestId("sql-state")).not.toHaveTextContent("changed");
  expect(screen.getByTestId("sql-filtered")).toHaveTextContent("on the filtered rows");
});

it("exports the result in the order shown, with the dialog of other exports", async () => {
  const { fake, user } = await openSql();
  fireEvent.keyDown(document.body, { key: "e", ctrlKey: true });
  expect(screen.queryByTestId("export-dialog")).not.toBeInTheDocument();
  await user.keyboard(RUN);
  await screen.findByRole("grid", { name: "Result of the SQL" });
  act(() => grid.props?.handlers.sort([{ path: "lots", descending: true }]));
  await user.keyboard("{Control>}e{/Control}");
  await screen.findByTestId("export-dialog");
  await user.click(screen.getByTestId("export-start"));
  const [, , id, sorts, options] = vi.mocked(fake.backend.exportSql).mock.lastCall ?? [];
  expect([id, sorts]).toEqual([7, [{ column: 1, descending: true }]]);
  expect(options).toMatchObject({ format: "csv", columns: [] });
  expect(fake.backend.exportRows).not.toHaveBeenCalled();
});

it("has the commands of its cells in a menu and in the palette", async () => {
  const { user } = await openSql();
  await user.keyboard(RUN);
  await screen.findByRole("grid", { name: "Result of the SQL" });
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "lots", row: 3 }));
  await user.click(screen.getByRole("menuitem", { name: "Copy as shown with headings" }));
  expect(grid.perform.mock.lastCall?.[0]).toBe("copy_shown_with_heading");
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await screen.findByTestId("palette");
  await user.keyboard("sort by the column, desc{Enter}");
  await waitFor(() => expect(grid.perform.mock.lastCall?.[0]).toBe("sort_down"));
});

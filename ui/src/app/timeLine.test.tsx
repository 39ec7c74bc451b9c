// The time line over the rows: it narrows them to days, sets the range, stacks its bars and reads out.

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, it, vi } from "vitest";

import type { GroupRequest, Groups, ViewShape } from "../backend";
import { makePlan } from "../test/fakeBackend";
import { makeRows } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: () => (
    <div className="grid-host">
      <div tabIndex={0} data-testid="cell" />
    </div>
  ),
}));

// There is nothing to draw on.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

const group = (rows: number, ...texts: string[]) => ({
  keys: texts.map((text) => ({ text, condition: { kind: "values" as const, values: [text], empty: false } })),
  rows,
  figures: [],
});

async function open() {
  const fake = makeRows();
  vi.mocked(fake.backend.plan).mockImplementation((query) => {
    const plan = makePlan(query);
    const days = plan.days.map((day, at) =>
      at < 3 ? day : { ...day, state: "settled" as const, action: "serve" as const, input_rows: 100 + at },
    );
    return Promise.resolve({ ...plan, days });
  });
  const shape = await fake.backend.viewShape({ signature: "", from: "", to: "" }, "input");
  const time = { path: "at", label: null, types: ["date"], numeric: false };
  const dated: ViewShape = { ...shape, columns: [...shape.columns, time], time_column: "at" };
  vi.mocked(fake.backend.viewShape).mockResolvedValue(dated);
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await fetchAnswer(user, fake);
  await screen.findByTestId("cell");
  await waitFor(() => expect(screen.getByTestId("stack-button")).toBeEnabled());
  return { fake, user, counted: () => vi.mocked(fake.backend.rowCount).mock.lastCall?.[1] };
}

const bar = (day: string) =>
  document.querySelector<HTMLElement>(`[data-day="2025-01-${day}"]`) ?? document.body;
const chosen = () => screen.queryAllByRole("option", { selected: true }).map((one) => one.dataset["day"]);
const days = (from: string, to = from) => [{ from: `2025-01-${from}`, to: `2025-01-${to}` }];

function press(day: string, init: object = {}) {
  fireEvent.pointerDown(bar(day), { button: 0, ...init });
  fireEvent.pointerUp(bar(day), init);
}

it("narrows the rows of both tabs to a day that is clicked, as a chip that can be switched off", async () => {
  const { fake, user, counted } = await open();
  press("10");
  const chip = await screen.findByRole("button", { name: "Days: 2025-01-10" });
  expect(chip).toHaveAttribute("aria-pressed", "true");
  expect(await screen.findByTestId("narrowed")).toHaveTextContent("1,204 of 48,211 rows");
  expect(counted()).toEqual({ role: "input", sorts: [], days: days("10") });
  await user.click(screen.getByTestId("tab-downstream"));
  await waitFor(() => expect(counted()).toEqual({ role: "downstream", sorts: [], days: days("10") }));
  await user.click(await screen.findByRole("button", { name: "Export filtered" }));
  await user.click(await screen.findByTestId("export-start"));
  expect(vi.mocked(fake.backend.exportRows).mock.lastCall?.[2]).toMatchObject({ days: days("10") });
  await user.click(chip);
  expect(chip).toHaveAttribute("aria-pressed", "false");
  await waitFor(() => expect(screen.queryByTestId("narrowed")).not.toBeInTheDocument());
  expect(chosen()).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Remove the filter Days: 2025-01-10" }));
  expect(screen.queryByTestId("days-chip")).not.toBeInTheDocument();
});

it("narrows them to what is dragged over, and to further days with Ctrl", async () => {
  const { counted } = await open();
  fireEvent.pointerDown(bar("14"), { button: 0 });
  fireEvent.pointerMove(bar("11"));
  expect(screen.getByTestId("bar-tip")).toHaveTextContent("2025-01-11 to 2025-01-14");
  fireEvent.pointerUp(bar("11"));
  await waitFor(() => expect(counted()).toMatchObject({ days: days("11", "14") }));
  press("20", { ctrlKey: true });
  await waitFor(() => expect(counted()).toMatchObject({ days: [...days("11", "14"), ...days("20")] }));
});

it("follows the arrow keys, which narrow, extend or only look, and leaves with Escape", async () => {
  const { fake, user, counted } = await open();
  bar("10").focus();
  expect(await screen.findByTestId("bar-tip")).toHaveTextContent("2025-01-10 Fridaycached109 trades");
  await user.keyboard("{ArrowRight}");
  expect(chosen()).toEqual(["2025-01-11"]);
  await user.keyboard("{Shift>}{ArrowRight}{ArrowDown}{/Shift}");
  expect(chosen()).toHaveLength(9);
  await waitFor(() => expect(counted()).toMatchObject({ days: days("11", "19") }));
  await user.keyboard("{Control>}{End}{/Control}");
  expect(bar("31")).toHaveFocus();
  expect(chosen()).toHaveLength(9);
  await user.keyboard(" ");
  expect(chosen()).toHaveLength(10);
  await user.keyboard("{Escape}");
  expect(chosen()).toEqual([]);
  expect(fake.backend.cancel).not.toHaveBeenCalled();
});

it("makes a day the range of the query by a double click, and chosen days by Enter", async () => {
  const { fake, user } = await open();
  const range = () => vi.mocked(fake.backend.plan).mock.lastCall?.[0];
  press("10");
  await user.keyboard("{Shift>}{ArrowRight}{/Shift}{Enter}");
  await waitFor(() => expect(range()).toMatchObject({ from: "2025-01-10", to: "2025-01-11" }));
  await waitFor(() => expect(screen.getByTestId("day-strip")).toHaveAttribute("data-days", "2"));
  fireEvent.doubleClick(bar("11"));
  await waitFor(() => expect(range()).toMatchObject({ from: "2025-01-11", to: "2025-01-11" }));
});

it("stacks its bars by a column, with a legend and a table", async () => {
  const { fake, user } = await open();
  const answer: Groups = {
    generation: 1,
    groups: [group(60, "2025-01-10", "Brent"), group(40, "2025-01-10", "WTI")],
    total: 2,
  };
  vi.mocked(fake.backend.groupRows).mockResolvedValue(answer);
  expect(fake.backend.groupRows).not.toHaveBeenCalled();
  await user.click(screen.getByTestId("stack-button"));
  await user.click(await screen.findByRole("menuitemradio", { name: "product" }));
  const legend = screen.getByTestId("legend-button");
  await waitFor(() => expect(legend.querySelectorAll(".stack-swatch")).toHaveLength(3));
  await user.click(legend);
  const values = within(screen.getByTestId("stack-legend")).getAllByRole("listitem");
  expect(values.map((value) => value.textContent)).toEqual(["Brent60", "WTI40", "Not in these rows3,162"]);
  const states = within(screen.getByRole("list", { name: "Days by state" })).getAllByRole("listitem");
  expect(states[0]).toHaveTextContent(/^Cached Cached and final/);
  await user.keyboard("{Escape}");
  const [, rows, request] = vi.mocked(fake.backend.groupRows).mock.lastCall ?? [];
  expect(rows).toEqual({ role: "input", sorts: [], days: days("01", "31") });
  expect(request).toMatchObject<Partial<GroupRequest>>({
    by: [{ path: "at", unit: "day" }, { path: "product" }],
    zone: "Europe/London",
  });
  const row = within(screen.getByTestId("days-table")).getByRole("row", { name: /2025-01-10 Friday/ });
  expect(
    within(row)
      .getAllByRole("cell")
      .map((cell) => cell.textContent),
  ).toEqual(["cached", "109", "not known", "no", "60", "40", "9"]);
  bar("10").focus();
  expect(await screen.findByTestId("bar-tip")).toHaveTextContent("Brent60WTI40Not in these rows9");
  const found = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

it("says of a column with very many values that it cannot be stacked", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.columnValues).mockResolvedValue({
    generation: 1,
    values: [{ value: "a", rows: 1 }],
    further: 5_000,
    empty: 0,
  });
  await user.click(screen.getByTestId("stack-button"));
  await user.click(await screen.findByRole("menuitemradio", { name: "product" }));
  expect(await screen.findByTestId("stack-problem")).toHaveTextContent("product has 5,001 values, too many");
  expect(fake.backend.groupRows).not.toHaveBeenCalled();
});

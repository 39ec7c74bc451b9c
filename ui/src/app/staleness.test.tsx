// What the window shows is current, and belongs to what it claims to show.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";

import type { QueryInput, RunEvent, Suggested } from "../backend";
import { AGE_MS } from "../plan/usePlan";
import type { Content, Handlers } from "../rows/grid/contract";
import { makeFake, makePlan } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeCached, makeDetail, makeFailure, makePartial, makeQuery } from "../test/made";
import { fetchAnswer, openApp, unfold } from "./openApp";

// What the grid was last given; the real one needs a layout, which jsdom does not have.
const grid = vi.hoisted(() => ({ props: null as Drawn | null }));
interface Drawn {
  content: Content;
  handlers: Handlers;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

afterEach(() => void vi.useRealTimers());

const planned = (signature: string, held: number): RunEvent => ({
  event: "planned",
  signature,
  filters: "no filter",
  days_to_pull: 1,
  days_cached: held,
  days_to_adopt: 0,
  windows: 1,
  expected_rows: null,
});

it("shows no answer over the rows of other days of its query", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await fetchAnswer(user, fake);
  expect(await screen.findByTestId("answer-completeness")).toHaveTextContent("Complete");
  await unfold(user);
  await user.click(screen.getByTestId("preset-today"));
  await screen.findByText(/0 of 1 days cached/);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.emit(planned("5".repeat(32), 1)));
  await waitFor(() => expect(screen.queryByTestId("answer-completeness")).not.toBeInTheDocument());
  expect(screen.getByText("rows so far")).toBeInTheDocument();
});

it("shows rows as they arrive, also where Fetch was pressed before there was a plan", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.plan).mockReturnValue(later<ReturnType<typeof makePlan>>().promise);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.emit(planned("6".repeat(32), 3)));
  expect(await screen.findByTestId("grid")).toHaveTextContent("2");
  const key = { signature: "6".repeat(32), from: "2025-01-01", to: "2025-01-31" };
  expect(fake.backend.viewShape).toHaveBeenCalledWith(key, "input");
});

it("reads columns and rows again where a page is of a later state than the columns", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  expect(grid.props?.content.generation).toBe(1);
  const shape = await fake.backend.viewShape({ signature: "", from: "", to: "" }, "input");
  vi.mocked(fake.backend.viewShape).mockResolvedValue({ ...shape, generation: 2, rows: 3 });
  act(() => grid.props?.handlers.outdated());
  await waitFor(() => expect(grid.props?.content).toMatchObject({ generation: 2, length: 3 }));
});

it("shows a failure to read rows until they are read", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  act(() => grid.props?.handlers.reading(makeFailure("cache_busy", "Another Tidemark has the file.")));
  expect(screen.getByTestId("grid-failure")).toBeInTheDocument();
  act(() => grid.props?.handlers.reading(null));
  expect(screen.queryByTestId("grid-failure")).not.toBeInTheDocument();
});

it("shows no document under the number of another row", async () => {
  const fake = makeFake();
  const second = later<Awaited<ReturnType<typeof fake.backend.rowDetail>>>();
  vi.mocked(fake.backend.rowDetail).mockImplementation((_key, _rows, position) =>
    position === 0 ? Promise.resolve(makeDetail({ relaxed: "the first" })) : second.promise,
  );
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  act(() => grid.props?.handlers.open(0));
  expect(await screen.findByText("the first")).toBeInTheDocument();
  act(() => grid.props?.handlers.active(1, "_id"));
  expect(screen.getByTestId("row-detail")).toHaveTextContent("Row 2");
  expect(screen.queryByText("the first")).not.toBeInTheDocument();
});

it("shows no document of a later state of the file than its row", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.rowDetail).mockResolvedValue(makeDetail({ relaxed: "moved here", generation: 2 }));
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  const shape = await fake.backend.viewShape({ signature: "", from: "", to: "" }, "input");
  const reread = later<typeof shape>();
  vi.mocked(fake.backend.viewShape).mockReturnValue(reread.promise);
  const before = vi.mocked(fake.backend.viewShape).mock.calls.length;
  act(() => grid.props?.handlers.open(0));
  await waitFor(() => expect(vi.mocked(fake.backend.viewShape).mock.calls.length).toBeGreaterThan(before));
  expect(screen.queryByText("moved here")).not.toBeInTheDocument();
  reread.resolve({ ...shape, generation: 2 });
  expect(await screen.findByText("moved here")).toBeInTheDocument();
});

it("plans again when a query is forgotten", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-forget"));
  const plans = vi.mocked(fake.backend.plan).mock.calls.length;
  expect(await screen.findByTestId("cached-forgotten")).toBeInTheDocument();
  // Whatever is done next, it is forgotten by then.
  fireEvent(window, new Event("pagehide"));
  await waitFor(() => expect(vi.mocked(fake.backend.plan).mock.calls.length).toBeGreaterThan(plans));
});

it("plans again as an open day ages and when somebody comes back, with the old plan standing", async () => {
  const fake = makeFake();
  let held = 30;
  const plan = (query: QueryInput) => {
    const made = makePlan(query, { sentence: `${held} of 31 days cached` });
    const days = made.days.map((day) => ({ ...day, state: "open" as const, action: "serve" as const }));
    return Promise.resolve({ ...made, days });
  };
  vi.mocked(fake.backend.plan).mockImplementation(plan);
  vi.useFakeTimers({ shouldAdvanceTime: true });
  await openApp(fake);
  await screen.findByText("30 of 31 days cached");
  held = 29;
  await act(() => vi.advanceTimersByTimeAsync(AGE_MS));
  expect(screen.getByText("29 of 31 days cached")).toBeInTheDocument();
  expect(screen.getByTestId("plan-sentence")).not.toHaveAttribute("data-stale");
  held = 28;
  fireEvent.focus(window);
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(screen.getByText("28 of 31 days cached")).toBeInTheDocument();
});

it("does not cancel a run with the Escape that closes a list of values", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.suggest).mockResolvedValue({ values: ["Brent"], is_coming: false });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  await user.type(screen.getByTestId("filter-product-input"), "Br");
  const value = { name: "Brent" };
  await screen.findByRole("option", value);
  await user.keyboard("{Escape}");
  expect(fake.backend.cancel).not.toHaveBeenCalled();
  await waitFor(() => expect(screen.queryByRole("option", value)).not.toBeInTheDocument());
  await user.keyboard("{Escape}");
  expect(fake.backend.cancel).toHaveBeenCalledOnce();
});

it("offers no values of another beginning, and no blank", async () => {
  const fake = makeFake();
  const slow = later<Suggested>();
  vi.mocked(fake.backend.suggest).mockImplementation((_field, prefix) =>
    prefix === "Bre" ? slow.promise : Promise.resolve({ values: [" ", "Brent", "Brass"], is_coming: false }),
  );
  const user = userEvent.setup();
  await openApp(fake);
  await user.type(screen.getByTestId("filter-product-input"), "Br");
  await screen.findByRole("option", { name: "Brass" });
  expect(screen.getAllByRole("option")).toHaveLength(2);
  await user.keyboard("e");
  await waitFor(() => expect(screen.queryByRole("option", { name: "Brass" })).not.toBeInTheDocument());
  act(() => slow.resolve({ values: ["Brent"], is_coming: false }));
  expect(await screen.findByRole("option", { name: "Brent" })).toBeInTheDocument();
});

it("offers what the cache knows while the source is asked, and then what the source has", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.suggest)
    .mockResolvedValueOnce({ values: ["Brent"], is_coming: true })
    .mockResolvedValue({ values: ["Brent", "Brass"], is_coming: false });
  const user = userEvent.setup();
  await openApp(fake);
  await user.type(screen.getByTestId("filter-product-input"), "B");
  await screen.findByRole("option", { name: "Brent" });
  expect(await screen.findByRole("option", { name: "Brass" })).toBeInTheDocument();
  const asked = vi.mocked(fake.backend.suggest).mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(fake.backend.suggest).toHaveBeenCalledTimes(asked);
});

it("keeps Cancel in reach of the keyboard when it has done its work, and says why it does no more", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => screen.getByTestId("cancel-button").focus());
  await user.keyboard("{Enter}");
  expect(fake.backend.cancel).toHaveBeenCalledOnce();
  act(() => fake.finish(makePartial(["2025-01-31"], { failure: makeFailure("cancelled", "Cancelled.") })));
  await screen.findByTestId("cancelled-note");
  const button = screen.getByTestId("cancel-button");
  expect(button).toHaveFocus();
  expect(button).toHaveAttribute("aria-disabled", "true");
  expect(button).toHaveAccessibleDescription("No fetch is running.");
  expect(screen.getByTestId("outcome")).toHaveTextContent("Cancelled. Partial: 1 of 31 days missing");
});

it("marks an advanced match that narrows the query while its box is closed", async () => {
  const fake = makeFake({ form: makeQuery({ advanced: '{"a": 1}' }) });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("advanced-toggle"));
  expect(screen.getByTestId("advanced-toggle").closest("details")).not.toHaveAttribute("open");
  expect(screen.getByTestId("advanced-mark")).toBeVisible();
});

it("says which preset is in force, and what day it is in the day zone", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, now: new Date("2025-01-30T13:00:00Z") });
  const fake = makeFake({ day_zone: "Pacific/Kiritimati", form: makeQuery({ from: "2025-01-31" }) });
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  await openApp(fake);
  expect(screen.getByTestId("preset-today")).toHaveAttribute("aria-pressed", "true");
  expect(screen.getByTestId("preset-week")).toHaveAttribute("aria-pressed", "false");
  await user.click(screen.getByRole("button", { name: /Open the calendar/ }));
  // 13:00 in UTC is past midnight there.
  expect(await screen.findByRole("button", { name: /^Today,.*31 January 2025/ })).toBeInTheDocument();
});

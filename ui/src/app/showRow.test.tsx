// From a found trade to its row.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import type { FoundTrade } from "../backend";
import type { Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { makeCached } from "../test/made";
import { makeFound, makeTrade } from "../test/madeTrades";
import { makeRows } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({
  goTo: vi.fn<(row: number) => void>(),
  perform: vi.fn<(command: string) => void>(),
  handlers: null as Handlers | null,
}));
interface Drawn {
  handlers: Handlers;
  ref: React.RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.handlers = props.handlers;
    props.ref.current = makeGridHandle({ goTo: grid.goTo, perform: grid.perform });
    return <div data-testid="grid" />;
  },
}));

beforeEach(() => vi.clearAllMocks());

const OTHER = "7".repeat(32);
const place = (signature: string): FoundTrade["place"] => ({
  kind: "cache",
  signature,
  source: "trading.messages at db1",
  filters: "product Brent",
  is_current: true,
  is_open: signature !== OTHER,
  from: "2025-01-05",
  to: "2025-01-05",
});

/** Finds a trade of a query, whose documents are of January 5, and shows the row of one of them. */
async function showRow(signature: string, at: number, fake = makeRows()) {
  const trade = makeTrade();
  trade.documents.forEach((one) => (one.day = "2025-01-05"));
  vi.mocked(fake.backend.findCachedTrades).mockResolvedValue(
    makeFound({ found: [{ place: place(signature), trade }], not_found: [] }),
  );
  vi.mocked(fake.backend.page).mockImplementation((_key, _rows, { offset }) =>
    Promise.resolve({ generation: 1, offset, rows: [[trade.documents[at]?.id ?? "", "Brent", "1"]] }),
  );
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  fireEvent.keyDown(document.body, { key: "T", ctrlKey: true, shiftKey: true });
  await user.click(await screen.findByTestId("find-trade-ids"));
  await user.paste("T1");
  await user.keyboard("{Enter}");
  await user.click(await screen.findByTestId("found-trade"));
  await user.click(screen.getAllByTestId("trade-item")[at] as HTMLElement);
  await user.click(screen.getByTestId("trade-show-row"));
  return { fake, user };
}

function finds(fake: ReturnType<typeof makeRows>, position: number | null) {
  vi.mocked(fake.backend.findRow).mockResolvedValue({ generation: 1, position, number: 1, total: 1 });
  return fake;
}

it("goes to the row of the open answer, and selects it", async () => {
  const { fake } = await showRow("5".repeat(32), 0, finds(makeRows(), 1_234));
  await waitFor(() => expect(grid.goTo).toHaveBeenCalledExactlyOnceWith(1_234));
  expect(grid.perform).toHaveBeenCalledWith("select_row", { row: 1_234, path: null });
  expect(screen.queryByTestId("find-trade-dialog")).not.toBeInTheDocument();
  const [key, rows, text] = vi.mocked(fake.backend.findRow).mock.lastCall ?? [];
  expect([key?.signature, rows?.role, text]).toEqual(["5".repeat(32), "input", "1"]);
  expect(fake.backend.cachedQueries).toHaveBeenCalled();
});

it("goes to a message in its own tab", async () => {
  await showRow("5".repeat(32), 2, finds(makeRows(), 7));
  await waitFor(() => expect(grid.goTo).toHaveBeenCalledExactlyOnceWith(7));
  expect(screen.getByTestId("tab-downstream")).toHaveAttribute("aria-selected", "true");
});

it("opens the query that has the row", async () => {
  const fake = finds(makeRows(), 3);
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  await showRow(OTHER, 0, fake);
  await waitFor(() => expect(grid.goTo).toHaveBeenCalledExactlyOnceWith(3));
  expect(vi.mocked(fake.backend.answer).mock.lastCall?.[0].signature).toBe(OTHER);
  expect(vi.mocked(fake.backend.findRow).mock.lastCall?.[0]).toEqual({
    signature: OTHER,
    from: "2025-01-01",
    to: "2025-01-10",
  });
});

it("says that the query has gone meanwhile", async () => {
  await showRow(OTHER, 0, finds(makeRows(), 3));
  expect(await screen.findByTestId("toast")).toHaveTextContent("no longer in the cache");
  expect(grid.goTo).not.toHaveBeenCalled();
});

it("says that a row is not there", async () => {
  await showRow("5".repeat(32), 0, finds(makeRows(), null));
  expect(await screen.findByTestId("toast")).toHaveTextContent("The trade is not among these rows");
});

it("switches off the filters that hide the row", async () => {
  const fake = makeRows();
  vi.mocked(fake.backend.findRow).mockImplementation((_key, rows) =>
    Promise.resolve({
      generation: 1,
      position: (rows.filters ?? []).length > 0 ? null : 9,
      number: 1,
      total: 1,
    }),
  );
  const shown = showRow("5".repeat(32), 0, fake);
  await screen.findByTestId("found-trade");
  act(() => grid.handlers?.filter("product", "Gas"));
  await shown;
  await waitFor(() => expect(grid.goTo).toHaveBeenCalledExactlyOnceWith(9));
  expect(await screen.findByTestId("toast")).toHaveTextContent("The filters of the rows were switched off");
  expect(screen.getByTestId("filter-chip")).toHaveTextContent("product: Gas");
});

// What is read from the backend: when, and what stands meanwhile.

import { onlineManager } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";

import type { CachedQuery, ViewShape } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeCached, makeFailure, makeQuery } from "../test/made";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({ outdated: (): void => undefined }));
vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content, handlers }: { content: { length: number }; handlers: typeof grid }) => {
    grid.outdated = handlers.outdated;
    return <div data-testid="grid">{content.length}</div>;
  },
}));

afterEach(() => void vi.useRealTimers());

const BUSY = makeFailure("cache_busy", "Another Tidemark has the file.");

it("reads without a network, since the backend is on this computer", async () => {
  onlineManager.setOnline(false);
  try {
    const fake = makeFake();
    await openApp(fake);
    await screen.findByText(/0 of 31 days cached/);
    expect(fake.backend.cachedQueries).toHaveBeenCalledOnce();
  } finally {
    onlineManager.setOnline(true);
  }
});

it("reads the list of cached queries once at the start, and again when a run ends", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  expect(fake.backend.cachedQueries).toHaveBeenCalledOnce();
  expect(fake.backend.cacheUsage).toHaveBeenCalledOnce();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  await user.click(screen.getByTestId("cached-tab"));
  await fetchAnswer(user, fake);
  expect(await screen.findByTestId("cached-item")).toBeInTheDocument();
  expect(fake.backend.cachedQueries).toHaveBeenCalledTimes(2);
  expect(fake.backend.cacheUsage).toHaveBeenCalledTimes(2);
});

it("shows why the list could not be read until it is read, and leaves the keyboard where it is", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockRejectedValueOnce(BUSY);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  const again = await screen.findByRole("button", { name: "Try again" });
  const slow = later<CachedQuery[]>();
  vi.mocked(fake.backend.cachedQueries).mockReturnValue(slow.promise);
  await user.click(again);
  await waitFor(() => expect(fake.backend.cachedQueries).toHaveBeenCalledTimes(2));
  expect(again).toHaveFocus();
  act(() => slow.resolve([makeCached()]));
  expect(await screen.findByTestId("cached-item")).toBeInTheDocument();
  expect(again).not.toBeInTheDocument();
});

it("keeps the list if it cannot be read again", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValueOnce([makeCached()]).mockRejectedValue(BUSY);
  vi.mocked(fake.backend.cacheUsage)
    .mockResolvedValueOnce({ bytes: 1e9, budget: 2e9, queries: 1 })
    .mockRejectedValue(BUSY);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await screen.findByTestId("cache-usage");
  await user.click(screen.getByRole("button", { name: "Reload" }));
  expect(await screen.findByText(/Another Tidemark has the file/)).toBeInTheDocument();
  expect(screen.getByTestId("cached-item")).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByTestId("cache-usage")).not.toBeInTheDocument());
});

it("keeps what has to be corrected on the screen while the correction is typed", async () => {
  const fake = makeFake({ form: makeQuery({ advanced: "{" }) });
  vi.mocked(fake.backend.plan).mockRejectedValue(
    makeFailure("bad_filter", "It does not parse.", { field: "advanced" }),
  );
  const user = userEvent.setup();
  await openApp(fake);
  const error = await screen.findByTestId("advanced-error");
  await user.type(screen.getByTestId("advanced-input"), " ");
  expect(error).toBeInTheDocument();
  expect(screen.getByTestId("plan-sentence")).toHaveAttribute("data-stale");
  await waitFor(() => expect(screen.getByTestId("plan-sentence")).not.toHaveAttribute("data-stale"));
  expect(error).toBeInTheDocument();
});

it("plans once when typing pauses, and not for each letter", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  const before = vi.mocked(fake.backend.plan).mock.calls.length;
  await user.type(screen.getByTestId("filter-product-input"), "Brent");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(vi.mocked(fake.backend.plan).mock.lastCall?.[0].filters).toHaveLength(1));
  expect(vi.mocked(fake.backend.plan).mock.calls.length - before).toBe(1);
});

it("keeps the rows on the screen if their columns cannot be read again", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  vi.mocked(fake.backend.viewShape).mockRejectedValue(BUSY);
  act(() => grid.outdated());
  expect(await screen.findByTestId("view-failure")).toBeInTheDocument();
  expect(screen.getByTestId("grid")).toHaveTextContent("2");
  const slow = later<ViewShape>();
  vi.mocked(fake.backend.viewShape).mockReturnValue(slow.promise);
  const calls = vi.mocked(fake.backend.viewShape).mock.calls.length;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(vi.mocked(fake.backend.viewShape).mock.calls.length).toBe(calls + 2));
  expect(screen.getByTestId("view-failure")).toBeInTheDocument();
  act(() =>
    slow.resolve({
      columns: [],
      rows: 7,
      generation: 2,
      reading_order: [],
      time_column: null,
      trade_column: null,
      status_column: null,
    }),
  );
  await waitFor(() => expect(screen.getByTestId("grid")).toHaveTextContent("7"));
  expect(screen.queryByTestId("view-failure")).not.toBeInTheDocument();
});

it("asks what day it is, and takes nothing else from the answer", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const fake = makeFake({ form: makeQuery({ from: "2025-02-01", to: "2025-02-01" }) });
  await openApp(fake);
  const first = await fake.backend.sourceView();
  vi.mocked(fake.backend.sourceView).mockResolvedValue({
    ...first,
    today: "2025-02-01",
    connection: { state: "offline", failure: BUSY },
  });
  expect(screen.getByTestId("preset-today")).toHaveAttribute("aria-pressed", "false");
  await act(() => vi.advanceTimersByTimeAsync(60_100));
  await waitFor(() => expect(screen.getByTestId("preset-today")).toHaveAttribute("aria-pressed", "true"));
  expect(screen.getByTestId("connection-status")).toHaveTextContent("Online");
});

// A cached query is forgotten after a while in which that can be undone.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { TOAST_MS } from "../controls/toasts";
import { UNDO_MS } from "../library/useForgetting";
import { makeFake } from "../test/fakeBackend";
import { makeCached, makeFailure } from "../test/made";
import { openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({ GridView: () => <div data-testid="grid" /> }));

const QUERY = makeCached({ newest_fetch: "2025-01-31T09:00:00Z" });
const KEY = "tidemark.forgetting";

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
afterEach(() => void vi.useRealTimers());

async function forget() {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([QUERY]);
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-forget"));
  await screen.findByTestId("cached-forgotten");
  return { fake, user };
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("forgets when the time to undo it is over, and not before", async () => {
  const { fake } = await forget();
  await pass(UNDO_MS - 1000);
  expect(fake.backend.forget).not.toHaveBeenCalled();
  await pass(1500);
  expect(fake.backend.forget).toHaveBeenCalledExactlyOnceWith(QUERY.signature, null, null);
  expect(localStorage.getItem(KEY)).toBeNull();
});

it("is undone", async () => {
  const { fake, user } = await forget();
  await user.click(screen.getByTestId("cached-undo"));
  expect(screen.getByTestId("cached-open")).toBeInTheDocument();
  expect(localStorage.getItem(KEY)).toBeNull();
  await pass(2 * UNDO_MS);
  expect(fake.backend.forget).not.toHaveBeenCalled();
});

it("is carried out when the app is left, and before the next fetch", async () => {
  const { fake } = await forget();
  fireEvent(window, new Event("pagehide"));
  expect(fake.backend.forget).toHaveBeenCalledOnce();
});

it("is carried out before anything is fetched, so that nothing forgotten is served", async () => {
  const { fake, user } = await forget();
  await user.click(screen.getByTestId("fetch-button"));
  await waitFor(() => expect(fake.backend.fetch).toHaveBeenCalledOnce());
  const [forgot] = vi.mocked(fake.backend.forget).mock.invocationCallOrder;
  const [fetched] = vi.mocked(fake.backend.fetch).mock.invocationCallOrder;
  expect(forgot).toBeLessThan(fetched ?? 0);
});

it.each([
  ["the same as it was", QUERY.newest_fetch, 1],
  ["fetched again since", "2025-02-01T09:00:00Z", 0],
])("is carried out at the next start, if the query is %s", async (_name, newest_fetch, times) => {
  localStorage.setItem(
    KEY,
    JSON.stringify([{ signature: QUERY.signature, newest_fetch: QUERY.newest_fetch }]),
  );
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([{ ...QUERY, newest_fetch }]);
  await openApp(fake);
  await waitFor(() => expect(localStorage.getItem(KEY)).toBeNull());
  expect(fake.backend.forget).toHaveBeenCalledTimes(times);
});

it("says why it failed until that has been read, and lists the query again", async () => {
  const { fake, user } = await forget();
  vi.mocked(fake.backend.forget).mockRejectedValue(makeFailure("cache_busy", "Another Tidemark has it."));
  await pass(UNDO_MS + 500);
  expect(screen.getByTestId("toast-failure")).toHaveTextContent("Another Tidemark has it.");
  expect(screen.getByTestId("cached-open")).toBeInTheDocument();
  await pass(10 * TOAST_MS);
  await user.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("toast-failure")).not.toBeInTheDocument();
});

it("lets what was done go by itself", async () => {
  const { user } = await forget();
  await user.click(screen.getByTestId("cached-undo"));
  fireEvent.contextMenu(screen.getByTestId("cached-item"), { clientX: 9, clientY: 9 });
  await user.click(await screen.findByRole("menuitem", { name: "Copy the filters" }));
  expect(await screen.findByTestId("toast")).toHaveTextContent("Copied: product: Brent");
  await pass(TOAST_MS + 500);
  expect(screen.queryByTestId("toast")).not.toBeInTheDocument();
});

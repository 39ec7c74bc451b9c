// Finding a trade by its id: from the key to its documents.

import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, it, vi } from "vitest";

import { openApp } from "../app/openApp";
import type { FoundTrades } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeFailure } from "../test/made";
import { makeFound, makeTrade } from "../test/madeTrades";

// axe looks for icon fonts by drawing; there is nothing to draw on.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

async function openDialog(fake = makeFake()) {
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  fireEvent.keyDown(document.body, { key: "T", ctrlKey: true, shiftKey: true });
  await screen.findByTestId("find-trade-dialog");
  return { fake, user };
}

async function type(user: ReturnType<typeof userEvent.setup>, text: string) {
  await user.click(screen.getByTestId("find-trade-ids"));
  await user.paste(text);
}

it("shows what is cached at once, then what the source has, and what neither has", async () => {
  const fake = makeFake();
  const answer = later<FoundTrades>();
  vi.mocked(fake.backend.findSourceTrades).mockReturnValue(answer.promise);
  const { user } = await openDialog(fake);
  await type(user, "T1\nT8\nT9");
  await user.click(screen.getByTestId("find-trade-button"));
  expect(await screen.findByTestId("found-trade")).toHaveTextContent("In the open answer: product Brent");
  expect(screen.getByTestId("find-trade-state")).toHaveTextContent("Asking the source");
  expect(screen.queryByTestId("find-trade-missing")).toBeNull();
  expect(vi.mocked(fake.backend.findCachedTrades).mock.lastCall?.[0]).toBe("T1\nT8\nT9");
  const notes = ["No index of trades begins with trade_id."];
  const found = [{ place: { kind: "source" as const }, trade: makeTrade({ trade: "T8", here: null }) }];
  act(() => answer.resolve(makeFound({ found, not_found: ["T1", "T9"], notes })));
  expect(await screen.findByTestId("find-trade-missing")).toHaveTextContent("Not found: T9");
  expect(screen.getByText("No index of trades begins with trade_id.")).toBeVisible();
  const rows = screen.getAllByTestId("found-trade");
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringContaining("T1"),
    expect.stringContaining("At the source now"),
  ]);
});

it("opens a trade with its time line, its changes and its documents", async () => {
  const { user } = await openDialog();
  await type(user, "T1");
  await user.keyboard("{Enter}");
  await user.click(await screen.findByTestId("found-trade"));
  const view = within(await screen.findByTestId("trade-view"));
  const items = view.getAllByTestId("trade-item");
  expect(items[1]).toHaveTextContent("1 h 0 min later");
  expect(items[2]).toHaveTextContent("1 day 14 h later (the longest gap)");
  expect(items[2]).toHaveTextContent("late: 1 day after the end of the day");
  expect(view.getByTestId("trade-text")).toHaveTextContent('{"_id": 1}');
  await user.click(view.getByTestId("trade-other"));
  expect(view.getByTestId("trade-text")).toHaveTextContent('{"_id": 3}');
  await user.click(view.getByText("Go to the trade"));
  expect(view.getByTestId("trade-text")).toHaveTextContent('{"_id": 2}');
  expect(view.getByTestId("trade-changes")).toHaveTextContent('status"new""cancelled"');
  const found = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(found.violations.map(({ id }) => id)).toEqual([]);
});

it("stops both searches in the engine, and leaves what was found out", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.findCachedTrades).mockReturnValue(later<FoundTrades>().promise);
  vi.mocked(fake.backend.findSourceTrades).mockReturnValue(later<FoundTrades>().promise);
  const { user } = await openDialog(fake);
  await type(user, "T1");
  await user.click(screen.getByTestId("find-trade-button"));
  await user.click(await screen.findByTestId("find-trade-cancel"));
  const ids = [fake.backend.findCachedTrades, fake.backend.findSourceTrades].map((call) =>
    vi.mocked(call).mock.lastCall?.at(-1),
  );
  await waitFor(() => expect(vi.mocked(fake.backend.cancelRows).mock.calls.flat()).toEqual(ids));
  expect(screen.getByTestId("find-trade-state")).toBeEmptyDOMElement();
});

it("says once why a list cannot be used, and does not ask a source that is away", async () => {
  const refused = makeFailure("bad_filter", "There is no trade id.");
  const fake = makeFake({
    connection: { state: "offline", failure: makeFailure("source_unreachable", "Away.") },
  });
  vi.mocked(fake.backend.findCachedTrades).mockRejectedValue(refused);
  const { user } = await openDialog(fake);
  await type(user, ",");
  await user.click(screen.getByTestId("find-trade-button"));
  expect(await screen.findByText("There is no trade id.")).toBeVisible();
  expect(fake.backend.findSourceTrades).not.toHaveBeenCalled();
});

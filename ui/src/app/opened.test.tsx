// Opening a cached answer: what it does to the form, and where its warnings lead.

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeAnswer, makeCached, makeQuery, makeSource } from "../test/made";
import { openApp, openDetails } from "./openApp";

it("leaves the form alone if rows of another source are opened", async () => {
  const form = makeQuery({ from: "2025-02-03", to: "2025-02-04" });
  const fake = makeFake({ form });
  const source = makeSource({ name: "archive.messages at db9", key: "9".repeat(32) });
  const other = makeQuery({ from: "2024-01-01", to: "2024-01-31" });
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached({ source: source.name, form: other })]);
  vi.mocked(fake.backend.answer).mockResolvedValue(makeAnswer({ answer: "offline", source }));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  await screen.findByTestId("answer-source");
  await user.click(screen.getByTestId("fetch-button"));
  expect(vi.mocked(fake.backend.fetch).mock.lastCall?.[1]).toMatchObject({ from: form.from, to: form.to });
});

it("leads to the mapping from an answer without messages because of it", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const why = "No document in events has the trade id of messages (of_trade).";
  const unmatched = { part: "messages" as const, field: null, path: "of_trade", value: null, near: [], why };
  vi.mocked(fake.backend.answer).mockResolvedValue(makeAnswer({ unmatched: [unmatched] }));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  await openDetails(user);
  await user.click(await screen.findByTestId("unmatched-repair"));
  expect(await screen.findByTestId("source-dialog")).toBeInTheDocument();
  await waitFor(() => expect(screen.getByTestId("mapping")).toHaveFocus());
});

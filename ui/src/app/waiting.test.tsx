// What the window keeps showing, and how it marks that, while something else is loading.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Suggested } from "../backend";
import { makeFake, makePlan } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeAnswer, makeCached, makeFailure, makePartial } from "../test/made";
import { openApp, openDetails, unfold } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content }: { content: { length: number } }) => <div data-testid="grid">{content.length}</div>,
}));

it("marks an answer that stands while a different query is fetched, and its warnings", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  const why = 'No document in messages has the value "credit" in receiver.';
  const part = {
    part: "value" as const,
    field: "receiver",
    path: "receiver",
    value: "credit",
    near: [],
    why,
  };
  const failure = makeFailure("source_unreachable", "The server cannot be reached.");
  act(() => fake.finish(makePartial(["2025-01-31"], { unmatched: [part], failure })));
  await openDetails(user);
  expect(await screen.findByTestId("unmatched-banner")).toHaveTextContent(why);
  expect(screen.queryByTestId("answer-differs")).not.toBeInTheDocument();

  // The same query again.
  await user.click(screen.getByTestId("fetch-button"));
  expect(screen.queryByTestId("answer-differs")).not.toBeInTheDocument();
  expect(screen.getByTestId("answer")).toHaveTextContent("being updated");
  expect(screen.getByTestId("unmatched-banner")).not.toHaveTextContent("Previous query");
  act(() => fake.finish(makePartial(["2025-01-31"], { unmatched: [part], failure })));
  await waitFor(() => expect(screen.queryByTestId("progress")).not.toBeInTheDocument());

  await unfold(user);
  await user.click(screen.getByTestId("preset-today"));
  expect(await screen.findByTestId("answer-differs")).toHaveTextContent("the form has changed");
  await user.click(screen.getByTestId("fetch-button"));
  expect(screen.getByTestId("answer-differs")).toHaveTextContent(
    "from the previous query, while this one is fetched",
  );
  expect(screen.getByTestId("unmatched-banner")).toHaveTextContent(`Previous query: ${why}`);
  expect(screen.getByTestId("partial-banner")).toHaveTextContent(
    /^Previous query: Partial: .* that query asks/,
  );
  expect(screen.getByTestId("answer-failure")).toHaveTextContent(
    "Previous query: The server cannot be reached.",
  );
  act(() => fake.finish(makeAnswer()));
  await waitFor(() => expect(screen.queryByTestId("answer-differs")).not.toBeInTheDocument());
});

it("does not call what was opened during a run the previous query", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  expect(await screen.findByTestId("answer")).toBeInTheDocument();
  expect(screen.getByTestId("progress")).toBeInTheDocument();
  expect(screen.queryByTestId("answer-differs")).not.toBeInTheDocument();
});

it("keeps the values that still match while those of the next letter are looked for", async () => {
  const fake = makeFake();
  const slow = later<Suggested>();
  vi.mocked(fake.backend.suggest).mockImplementation((_field, prefix) =>
    prefix === "b" ? slow.promise : Promise.resolve({ values: ["Brent", "Gas TTF"], is_coming: false }),
  );
  const user = userEvent.setup();
  await openApp(fake);
  const input = screen.getByTestId("filter-product-input");
  await user.click(input);
  await user.keyboard("{ArrowDown}");
  await screen.findByRole("option", { name: "Gas TTF" });
  await user.keyboard("b");
  await waitFor(() => expect(screen.queryByRole("option", { name: "Gas TTF" })).not.toBeInTheDocument());
  expect(screen.getByRole("option", { name: "Brent" })).toBeInTheDocument();
  act(() => slow.resolve({ values: ["Brent", "Butane"], is_coming: false }));
  expect(await screen.findByRole("option", { name: "Butane" })).toBeInTheDocument();
});

it("keeps the place of the day strip while the advanced match is half typed", async () => {
  const height = vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(140);
  try {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await screen.findByTestId("day-strip");
    await user.click(screen.getByTestId("advanced-toggle"));
    await user.click(screen.getByTestId("advanced-input"));
    vi.mocked(fake.backend.plan).mockRejectedValue(
      makeFailure("bad_filter", "It does not parse.", { field: "advanced" }),
    );
    await user.paste("{");
    await screen.findByTestId("advanced-error");
    expect(screen.queryByTestId("day-strip")).not.toBeInTheDocument();
    expect(screen.getByTestId("strip-place")).toHaveStyle({ minHeight: "140px" });
    vi.mocked(fake.backend.plan).mockImplementation((query) => Promise.resolve(makePlan(query)));
    await user.clear(screen.getByTestId("advanced-input"));
    await screen.findByTestId("day-strip");
    expect(screen.getByTestId("strip-place").style.minHeight).toBe("");
  } finally {
    height.mockRestore();
  }
});

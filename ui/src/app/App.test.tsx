import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { makeFake, makePlan } from "../test/fakeBackend";
import {
  makeAnswer,
  makeCached,
  makeChange,
  makeChanges,
  makeFailure,
  makePartial,
  makeQuery,
} from "../test/made";
import { openApp, openDetails } from "./openApp";

// jsdom has no layout, and without one the grid shows nothing; the window test uses the real grid.
vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content }: { content: { length: number } }) => <div data-testid="grid">{content.length}</div>,
}));

describe("the window", () => {
  it("plans before anything is fetched, and fetches what the form says", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    expect(await screen.findByText(/0 of 31 days cached/)).toBeInTheDocument();
    await user.type(screen.getByTestId("filter-product-input"), "Brent,Dutch TTF");
    await user.click(screen.getByTestId("fetch-button"));
    expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[1].filters).toEqual([
      { field: "product", operator: "any_of", values: ["Brent", "Dutch TTF"] },
    ]);
    expect(screen.getByTestId("progress")).toBeInTheDocument();
    act(() => fake.finish(makeAnswer({ answer: "server" })));
    expect(await screen.findByTestId("answer-origin")).toHaveTextContent("From the server");
    expect(screen.getByTestId("answer-completeness")).toHaveTextContent("Complete");
    expect(screen.queryByTestId("progress")).not.toBeInTheDocument();
    await waitFor(() => expect(screen.getByTestId("row-count-input")).toHaveTextContent("2"));
  });

  it("counts what is still being typed when Ctrl+Enter is pressed", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.type(screen.getByTestId("filter-product-input"), "Brent");
    await user.keyboard("{Control>}{Enter}{/Control}");
    expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[1].filters[0]?.values).toEqual(["Brent"]);
  });

  it("makes tokens of a pasted list", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("filter-product-input"));
    await user.paste("A, x\nB;C");
    await waitFor(() =>
      expect(vi.mocked(fake.backend.plan).mock.lastCall?.[0].filters[0]?.values).toEqual(["A, x", "B;C"]),
    );
  });

  it("makes no filter of what Escape has thrown away", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    const input = screen.getByTestId("filter-product-input");
    await user.type(input, "B{Escape}");
    expect(input).toHaveValue("");
    await user.click(screen.getByTestId("fetch-button"));
    expect(screen.queryByRole("grid", { name: "product: values" })).not.toBeInTheDocument();
    expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[1].filters).toEqual([]);
    expect(fake.backend.cancel).not.toHaveBeenCalled();
  });

  it("keeps the values that are set when Escape throws away the one being typed", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.type(screen.getByTestId("filter-product-input"), "Brent,WT{Escape}");
    await user.click(screen.getByTestId("fetch-button"));
    expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[1].filters[0]?.values).toEqual(["Brent"]);
  });

  it("shows a bad filter beside the advanced match, keeps the text, and does not fetch", async () => {
    const fake = makeFake({ form: makeQuery({ advanced: "{" }) });
    vi.mocked(fake.backend.plan).mockRejectedValue(
      makeFailure("bad_filter", "It does not parse: line 1.", { field: "advanced" }),
    );
    await openApp(fake);
    expect(await screen.findByTestId("advanced-error")).toHaveTextContent("line 1");
    expect(screen.getByTestId("advanced-input")).toHaveValue("{");
    expect(screen.getByTestId("fetch-button")).toHaveAttribute("aria-disabled", "true");
  });

  it("does not let a partial answer pass for a complete one", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("fetch-button"));
    act(() => fake.finish(makePartial(["2025-01-30", "2025-01-31"])));
    await openDetails(user);
    expect(await screen.findByTestId("partial-banner")).toHaveTextContent("2 of 31 days missing");
    expect(screen.getByTestId("answer-completeness")).toHaveAttribute("data-complete", "false");
    expect(screen.getByTestId("export-button")).toHaveTextContent("partial");
  });

  it("warns of a complete answer to a mistyped query, and says what may have been meant", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("fetch-button"));
    const why = 'No document in messages has the value "gas ttf" in product. Did you mean "Gas TTF"?';
    const part = {
      part: "value" as const,
      field: "product",
      path: "product",
      value: "gas ttf",
      near: ["Gas TTF"],
      why,
    };
    act(() => fake.finish(makeAnswer({ unmatched: [part], notes: [why, "Something else."] })));
    await openDetails(user);
    expect(await screen.findByTestId("unmatched-banner")).toHaveTextContent(why);
    const badge = screen.getByTestId("answer-completeness");
    expect(badge).toHaveTextContent("Complete, but check the query");
    expect(badge).toHaveAttribute("data-complete", "false");
    expect(screen.getByTestId("answer-notes")).toHaveTextContent(/^Something else\.$/);
  });

  it("plans again and goes on by itself when the source is back", async () => {
    const away = makeFailure("source_unreachable", "No server answers.");
    const fake = makeFake({ connection: { state: "offline", failure: away } });
    const user = userEvent.setup();
    await openApp(fake);
    await screen.findByText(/0 of 31 days cached/);
    await user.click(screen.getByTestId("fetch-button"));
    act(() => fake.finish(makePartial(["2025-01-31"], { failure: away })));
    await waitFor(() => expect(screen.getByTestId("activity")).toHaveTextContent("Paused"));
    const plans = vi.mocked(fake.backend.plan).mock.calls.length;
    act(() =>
      fake.connection({ state: "online", round_trip_ms: 2, version: "8", unverified: null, warnings: [] }),
    );
    await waitFor(() => expect(fake.backend.fetch).toHaveBeenCalledTimes(2));
    await waitFor(() => expect(vi.mocked(fake.backend.plan).mock.calls.length).toBeGreaterThan(plans));
  });

  it("cancels with Escape and says what is kept", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("fetch-button"));
    await user.keyboard("{Escape}");
    expect(fake.backend.cancel).toHaveBeenCalledOnce();
    act(() => {
      fake.emit({ event: "cancelled" });
      fake.finish(makePartial(["2025-01-31"], { answer: "cache" }));
    });
    expect(await screen.findByTestId("cancelled-note")).toBeInTheDocument();
    expect(screen.getByTestId("partial-banner")).toBeInTheDocument();
  });

  it("takes a cancelled answer for cancelled where the event has not come", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("fetch-button"));
    act(() =>
      fake.finish(makePartial(["2025-01-31"], { failure: makeFailure("cancelled", "It was cancelled.") })),
    );
    expect(await screen.findByTestId("cancelled-note")).toBeInTheDocument();
    expect(screen.queryByTestId("answer-failure")).not.toBeInTheDocument();
  });

  it("takes a range typed digit by digit, with leading zeros, from one field into the other", async () => {
    const fake = makeFake({ form: makeQuery({ from: "2025-01-22" }) });
    const user = userEvent.setup();
    await openApp(fake);
    const year = screen.getByTestId("date-from").querySelector("[data-type=year]");
    await user.click(year ?? document.body);
    await user.keyboard("2024090920241008");
    await waitFor(() =>
      expect(vi.mocked(fake.backend.plan).mock.lastCall?.[0]).toMatchObject({
        from: "2024-09-09",
        to: "2024-10-08",
      }),
    );
  });

  it("opens a cached query with no server and fills the form with it", async () => {
    const fake = makeFake({
      connection: { state: "offline", failure: makeFailure("source_unreachable", "x") },
    });
    const held = { from: "2025-01-01", to: "2025-01-10" };
    vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("cached-tab"));
    await user.click(await screen.findByTestId("cached-open"));
    expect(await screen.findByTestId("answer-origin")).toHaveTextContent("From the cache");
    expect(fake.backend.answer).toHaveBeenCalledWith({ signature: "7".repeat(32), ...held });
    await waitFor(() => expect(vi.mocked(fake.backend.plan).mock.lastCall?.[0].filters).toHaveLength(1));
    expect(fake.backend.fetch).not.toHaveBeenCalled();
  });

  it("begins with the answer that the last session ended with", async () => {
    const fake = makeFake();
    vi.mocked(fake.backend.plan).mockImplementation((query) => {
      const counts = { requested: 31, serve: 31, refresh: 0, fetch: 0, adopt: 0, unavailable: 0 };
      return Promise.resolve(makePlan(query, { counts }));
    });
    await openApp(fake);
    expect(await screen.findByTestId("answer-origin")).toHaveTextContent("From the cache");
    expect(fake.backend.answer).toHaveBeenCalledExactlyOnceWith({
      signature: "5".repeat(32),
      from: "2025-01-01",
      to: "2025-01-31",
    });
    expect(fake.backend.fetch).not.toHaveBeenCalled();
  });

  it("begins with no answer if nothing of the form is cached", async () => {
    const fake = makeFake();
    await openApp(fake);
    await screen.findByText(/0 of 31 days cached/);
    expect(fake.backend.answer).not.toHaveBeenCalled();
  });

  it("shows why a run failed and keeps the rows on the screen", async () => {
    const fake = makeFake();
    vi.mocked(fake.backend.plan).mockImplementation((query) => Promise.resolve(makePlan(query)));
    vi.mocked(fake.backend.answer).mockRejectedValue(makeFailure("not_cached", "x"));
    const user = userEvent.setup();
    await openApp(fake);
    await screen.findByText(/0 of 31 days cached/);
    await user.click(screen.getByTestId("fetch-button"));
    act(() =>
      fake.fail(makeFailure("auth_failed", "The server refused the password.", { field: "password" })),
    );
    expect(await screen.findByTestId("run-failure")).toHaveTextContent(
      "The server refused the password. Do.",
    );
    expect(screen.getByTestId("fetch-button")).not.toHaveAttribute("aria-disabled");
  });

  it("lists what a verification found, narrows it to a kind, and copies it", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("verify-button"));
    expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[2]).toBe("verify");
    expect(screen.getByTestId("activity")).toHaveTextContent("Verifying");
    expect(screen.getByTestId("progress")).toHaveTextContent("Checking cached days against the server");
    const fields = [{ path: "price", before: "1", after: null }];
    const messages = [
      makeChange({ id: "a1" }),
      makeChange({ day: "2025-01-02", kind: "changed", id: "c1", fields }),
    ];
    const changes = makeChanges({ input: { added: 1, changed: 1, gone: 0 }, messages });
    act(() => fake.finish(makeAnswer({ changes })));
    await openDetails(user);
    expect(await screen.findByTestId("changes-summary")).toHaveTextContent("1 trade added, 1 changed");
    await user.click(screen.getByTestId("changes-button"));
    const days = await screen.findAllByTestId("changes-day");
    expect(days.map((day) => day.dataset.day)).toEqual(["2025-01-02", "2025-01-09"]);
    expect(screen.getByRole("row", { name: "price 1 no such field" })).toBeInTheDocument();
    expect(screen.getByTestId("changes-filter-gone")).toBeDisabled();

    await user.click(screen.getByTestId("changes-filter-changed"));
    expect(screen.getAllByTestId("change")).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Copy Changed trade T-1, _id c1" }));
    expect(vi.mocked(fake.backend.copyText).mock.lastCall?.[0]).toContain("price: 1 -> (no such field)");
    await user.click(screen.getByTestId("changes-copy"));
    const copied = vi.mocked(fake.backend.copyText).mock.lastCall?.[0];
    expect(copied).toContain("_id c1");
    expect(copied).not.toContain("_id a1");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("changes-dialog")).not.toBeInTheDocument());
    await waitFor(() => expect(screen.getByTestId("changes-button")).toHaveFocus());
  });

  it("draws a long list of changes in steps", async () => {
    const fake = makeFake();
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("refresh-button"));
    const messages = Array.from({ length: 130 }, (_, at) => makeChange({ id: `m${at}` }));
    const input = { added: 150, changed: 0, gone: 0 };
    act(() => fake.finish(makeAnswer({ changes: makeChanges({ input, messages, omitted: 20 }) })));
    await openDetails(user);
    await user.click(await screen.findByTestId("changes-button"));
    expect(screen.getAllByTestId("change")).toHaveLength(100);
    expect(screen.getByTestId("changes-omitted")).toHaveTextContent("20 more documents");
    await user.click(screen.getByTestId("changes-more"));
    expect(screen.getAllByTestId("change")).toHaveLength(130);
  });

  it("names the days that a verification could not confirm, over the rows and in the strip", async () => {
    const fake = makeFake();
    vi.mocked(fake.backend.plan).mockImplementation((query) => {
      const plan = makePlan(query);
      const days = plan.days.map((day) => ({ ...day, state: "settled" as const, action: "serve" as const }));
      return Promise.resolve({ ...plan, days });
    });
    const user = userEvent.setup();
    await openApp(fake);
    await user.click(screen.getByTestId("verify-button"));
    const answer = makeAnswer();
    answer.days.unverified = ["2025-01-03", "2025-01-04"];
    act(() => fake.finish(answer));
    await openDetails(user);
    expect(await screen.findByTestId("unverified-banner")).toHaveTextContent("2 cached days could not be");
    await waitFor(() =>
      expect(document.querySelectorAll("[data-day][data-kind=unverified]")).toHaveLength(2),
    );
    expect(screen.queryByTestId("partial-banner")).not.toBeInTheDocument();
  });
});

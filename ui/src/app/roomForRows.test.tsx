// The closed line over the rows, the folded form, the size of the text, and panels that can be resized.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Answer } from "../backend";
import type { Handlers } from "../rows/grid/contract";
import { makeFake, makePlan } from "../test/fakeBackend";
import { makeAnswer, makeCached, makeChanges, makeFailure, makePartial, makeQuery } from "../test/made";
import { fetchAnswer, openApp, openDetails, unfold } from "./openApp";

const grid = vi.hoisted(() => ({ handlers: null as Handlers | null }));
vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ handlers }: { handlers: Handlers }) => {
    grid.handlers = handlers;
    return (
      <div className="grid-host">
        <div tabIndex={0} data-testid="cell" />
      </div>
    );
  },
}));

async function openAnswer(answer: Answer, fake = makeFake()) {
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await fetchAnswer(user, fake, answer);
  await screen.findByTestId("answer-line");
  return { fake, user, line: screen.getByTestId("answer-line") };
}

it("says on one line what the answer is and what a fetch would do, and opens to the rest", async () => {
  const { user, line } = await openAnswer(makeAnswer({ mongo_commands: 3 }));
  expect(line).toHaveTextContent(/^From the cache ?Complete ?oldest fetch .* ?Fetch: 0 of 31 days cached/);
  const toggle = screen.getByRole("button", { name: "Details of the plan and the answer" });
  expect(toggle).toHaveAttribute("aria-expanded", "false");
  expect(screen.getByTestId("answer-commands")).not.toBeVisible();
  act(() => toggle.focus());
  await user.keyboard("{Enter}");
  expect(toggle).toHaveAttribute("aria-expanded", "true");
  expect(screen.getByTestId("answer-details")).toBeVisible();
  expect(toggle).toHaveAttribute("aria-controls", screen.getByTestId("answer-details").id);
  expect(screen.getByTestId("answer-commands")).toHaveTextContent("3 MongoDB commands");
  await user.keyboard("{Control>}i{/Control}");
  expect(screen.getByTestId("answer-commands")).not.toBeVisible();
});

it("lets no partial answer look complete while it is closed", async () => {
  const failure = makeFailure("source_unreachable", "The server cannot be reached.");
  const { user, line } = await openAnswer(makePartial(["2025-01-30", "2025-01-31"], { failure }));
  expect(line).toHaveTextContent("Offline");
  expect(screen.getByTestId("answer-completeness")).toHaveTextContent("Partial: 2 of 31 days missing");
  expect(screen.getByTestId("answer-completeness")).toBeVisible();
  expect(screen.getByTestId("answer")).toHaveAttribute("data-partial");
  expect(screen.getByTestId("line-failure")).toHaveTextContent("The server cannot be reached.");
  expect(screen.getByTestId("partial-banner")).not.toBeVisible();
  await openDetails(user);
  expect(screen.getByTestId("partial-banner")).toBeVisible();
  expect(screen.getByTestId("answer-failure")).toBeVisible();
});

it("says of a complete answer, closed, what may still change, what differs and what is to be read", async () => {
  const answer = makeAnswer({
    changes: makeChanges(),
    notes: ["3 documents were left out.", "A further note."],
  });
  answer.days.unverified = ["2025-01-03"];
  answer.days.open = ["2025-01-31"];
  const { line } = await openAnswer(answer);
  expect(screen.getByTestId("answer")).not.toHaveAttribute("data-partial");
  for (const text of [
    "Complete",
    "1 unverified day",
    "1 open day",
    "1 trade added",
    "3 documents were left out. And 1 more.",
  ]) {
    expect(line).toHaveTextContent(text);
  }
});

it("names the rows on the closed line where the form has moved on", async () => {
  const { user, line } = await openAnswer(makeAnswer());
  expect(screen.queryByTestId("line-query")).not.toBeInTheDocument();
  await unfold(user);
  await user.click(screen.getByTestId("preset-today"));
  expect(await screen.findByTestId("answer-differs")).toBeVisible();
  expect(line).toHaveTextContent("2025-01-01 to 2025-01-31, product: Brent");
});

it("marks a plan that is being made again, and says that the server is away", async () => {
  const fake = makeFake();
  const { user } = await openAnswer(makeAnswer({ answer: "offline" }), fake);
  vi.mocked(fake.backend.plan).mockImplementation((query) =>
    Promise.resolve(makePlan(query, { reachable: false })),
  );
  await unfold(user);
  await user.click(screen.getByTestId("preset-today"));
  expect(screen.getByTestId("plan-sentence")).toHaveAttribute("data-stale");
  expect(await screen.findByTestId("plan-away")).toHaveTextContent("planned from the cache");
  expect(screen.getByTestId("answer-line")).toContainElement(screen.getByTestId("plan-away"));
});

const product = { field: "product", operator: "any_of" as const, values: ["Brent", "Gas", "WTI"] };
const panel = () => screen.getByTestId("panel-toggle");

it("folds the form to a line of chips when an answer arrives, and unfolds where a chip leads", async () => {
  const fake = makeFake({ form: makeQuery({ filters: [product] }) });
  const { user } = await openAnswer(makeAnswer(), fake);
  expect(panel()).toHaveAttribute("aria-expanded", "false");
  expect(screen.getByTestId("filter-product-input")).not.toBeVisible();
  expect(screen.getByTestId("chip-days")).toHaveTextContent("2025-01-01 to 2025-01-31");
  const chip = screen.getByRole("button", { name: "Edit product: Brent, Gas and 1 more" });
  await user.click(chip);
  await waitFor(() => expect(screen.getByTestId("filter-product-input")).toBeVisible());
  expect(screen.getByTestId("filter-product")).toContainElement(document.activeElement as HTMLElement);
  expect(screen.queryByTestId("query-chips")).not.toBeInTheDocument();
});

it("stays open while it is being typed in, and folds when it is left", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.type(screen.getByTestId("filter-product-input"), "Brent");
  await user.keyboard("{Control>}{Enter}{/Control}");
  act(() => fake.finish(makeAnswer()));
  await screen.findByTestId("cell");
  expect(screen.getByTestId("filter-product-input")).toBeVisible();
  await user.click(screen.getByTestId("cell"));
  await waitFor(() => expect(screen.getByTestId("filter-product-input")).not.toBeVisible());
  expect(screen.getByTestId("cell")).toHaveFocus();
});

it("stays open once it was opened by hand", async () => {
  const { user } = await openAnswer(makeAnswer());
  await unfold(user);
  await user.click(screen.getByTestId("cell"));
  expect(panel()).toHaveAttribute("aria-expanded", "true");
});

it("stays open while something in it has to be corrected", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await user.click(screen.getByTestId("fetch-button"));
  vi.mocked(fake.backend.plan).mockRejectedValue(
    makeFailure("bad_filter", "It does not parse.", { field: "advanced" }),
  );
  await user.click(screen.getByTestId("advanced-toggle"));
  await user.click(screen.getByTestId("advanced-input"));
  await user.paste("{");
  await screen.findByTestId("advanced-error");
  act(() => screen.getByTestId("cancel-button").focus());
  act(() => fake.finish(makeAnswer()));
  await screen.findByTestId("answer-line");
  expect(screen.getByTestId("advanced-error")).toBeVisible();
});

it("stays open if the settings say so", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-form-stays"));
  await user.keyboard("{Escape}");
  await fetchAnswer(user, fake);
  await screen.findByTestId("answer-line");
  expect(panel()).toHaveAttribute("aria-expanded", "true");
  expect(localStorage.getItem("tidemark.formFolds")).toBe("false");
});

it("does not fold the list of cached queries, and shows the query beside it", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  await screen.findByTestId("answer-line");
  expect(panel()).toHaveAttribute("aria-expanded", "true");
  expect(screen.getByTestId("chip-days")).toBeVisible();
});

it("has three sizes of text in the settings, and keeps the chosen one", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  const zoom = () => document.documentElement.style.getPropertyValue("--data-zoom");
  await user.click(screen.getByTestId("settings-button"));
  expect(await screen.findByTestId("settings-text-normal")).toHaveAttribute("aria-checked", "true");
  await user.click(screen.getByTestId("settings-text-compact"));
  expect(zoom()).toBe("0.85");
  await user.click(screen.getByTestId("settings-text-large"));
  expect(zoom()).toBe("1.3");
  expect(localStorage.getItem("tidemark.dataZoom")).toBe("1.3");
  // A size of the keys has no name.
  await user.keyboard("{Escape}{Control>}+{/Control}");
  await user.click(screen.getByTestId("settings-button"));
  expect(await screen.findByTestId("settings-text-large")).toHaveAttribute("aria-checked", "false");
});

it("resizes the row details by keyboard and by mouse, moves them below the rows, and remembers it", async () => {
  const { user } = await openAnswer(makeAnswer());
  await screen.findByTestId("cell");
  act(() => grid.handlers?.open(0));
  const edge = () => screen.getByRole("separator", { name: "Size of the row details" });
  expect(edge()).toHaveAttribute("aria-valuenow", "440");
  act(() => edge().focus());
  await user.keyboard("{ArrowLeft}{ArrowUp}");
  expect(edge()).toHaveAttribute("aria-valuenow", "464");
  expect(screen.getByTestId("row-detail")).toHaveStyle({ flexBasis: "464px" });
  fireEvent.pointerDown(edge(), { button: 0, clientX: 800, clientY: 300 });
  fireEvent.pointerMove(edge(), { clientX: 764, clientY: 300 });
  fireEvent.pointerUp(edge());
  fireEvent.pointerMove(edge(), { clientX: 100, clientY: 300 });
  expect(localStorage.getItem("tidemark.detail.width")).toBe("500");
  await user.keyboard("{Home}");
  expect(edge()).toHaveAttribute("aria-valuenow", edge().getAttribute("aria-valuemin"));
  await user.keyboard("{Enter}");
  expect(edge()).toHaveAttribute("aria-valuenow", "440");

  await user.click(screen.getByRole("button", { name: "Show the row details below the rows" }));
  expect(edge()).toHaveAttribute("aria-orientation", "horizontal");
  act(() => edge().focus());
  await user.keyboard("{ArrowUp}");
  expect(localStorage.getItem("tidemark.detail.place")).toBe('"below"');
  expect(localStorage.getItem("tidemark.detail.height")).toBe("244");
});

it("resizes the side panel by keyboard", async () => {
  const user = userEvent.setup();
  await openApp(makeFake());
  const edge = screen.getByRole("separator", { name: "Width of the side panel" });
  act(() => edge.focus());
  await user.keyboard("{ArrowRight}");
  expect(document.querySelector<HTMLElement>(".window")?.style.getPropertyValue("--side")).toBe("316px");
  expect(localStorage.getItem("tidemark.side.width")).toBe("316");
});

it("does not fold for a fetch that failed, which brings nothing to look at", async () => {
  const fake = makeFake();
  const { user } = await openAnswer(makeAnswer(), fake);
  await unfold(user);
  vi.mocked(fake.backend.answer).mockRejectedValue(makeFailure("not_cached", "x"));
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.fail(makeFailure("source_timeout", "It took too long.")));
  expect(await screen.findByTestId("run-failure")).toBeVisible();
  expect(panel()).toHaveAttribute("aria-expanded", "true");
});

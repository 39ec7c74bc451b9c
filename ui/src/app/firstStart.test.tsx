// What the window shows before there are rows, and the ways from a failure to what corrects it.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeCached, makeFailure } from "../test/made";
import { openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content }: { content: { length: number } }) => <div data-testid="grid">{content.length}</div>,
}));

const UNSET = { profile: null, connection: { state: "not_configured" as const }, has_sample: true };

it("says what Tidemark does, and asks for no filters yet", async () => {
  const user = userEvent.setup();
  await openApp(makeFake(UNSET));
  expect(screen.getByTestId("filters-unset")).toBeInTheDocument();
  expect(screen.queryByTestId("filter-product")).not.toBeInTheDocument();
  expect(screen.getByTestId("date-from")).toBeInTheDocument();
  await user.click(screen.getByTestId("welcome-database-team"));
  expect(await screen.findByTestId("database-team-dialog")).toBeInTheDocument();
  await user.keyboard("{Escape}");
  await user.click(screen.getByTestId("welcome-cached"));
  expect(screen.getByTestId("cached-tab")).toHaveAttribute("aria-selected", "true");
  await user.click(screen.getByTestId("welcome-setup"));
  expect(await screen.findByTestId("source-dialog")).toBeInTheDocument();
});

it("tries the sample desk, and says if that fails", async () => {
  const fake = makeFake(UNSET);
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.trySample).mockRejectedValueOnce(makeFailure("internal", "It does not start."));
  await user.click(screen.getByTestId("welcome-sample"));
  expect(await screen.findByTestId("welcome-failure")).toHaveTextContent("It does not start.");
  vi.mocked(fake.backend.trySample).mockResolvedValue(await makeFake().backend.sourceView());
  await user.click(screen.getByTestId("welcome-sample"));
  expect(await screen.findByTestId("filter-product")).toBeInTheDocument();
});

it("says what the first fetch will do, by the plan", async () => {
  await openApp(makeFake());
  const text = await screen.findByTestId("before-fetch");
  expect(text).toHaveTextContent("trading.messages at db1");
  expect(text).toHaveTextContent("2025-01-01 to 2025-01-31");
  expect(text).toHaveTextContent("From MongoDB31 days");
});

it.each([
  ["mapping", "Edit the mapping"],
  ["database", "Edit the source"],
] as const)("leads from a failure about the %s to its form", async (field, label) => {
  const fake = makeFake();
  vi.mocked(fake.backend.plan).mockRejectedValue(makeFailure("bad_mapping", "Not so.", { field }));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(within(await screen.findByTestId("plan-failure")).getByRole("button", { name: label }));
  expect(await screen.findByTestId("source-dialog")).toBeInTheDocument();
});

it("leads from a failed run to the form of the source", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  vi.mocked(fake.backend.answer).mockRejectedValue(makeFailure("not_cached", "x"));
  act(() => fake.fail(makeFailure("bad_mapping", "Not so.", { field: "mapping" })));
  const note = within(await screen.findByTestId("run-failure"));
  await user.click(note.getByRole("button", { name: "Edit the mapping" }));
  expect(await screen.findByTestId("source-dialog")).toBeInTheDocument();
});

it("opens the cached query that the command line asks for", async () => {
  const fake = makeFake();
  const cached = makeCached();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([cached]);
  vi.mocked(fake.backend.openRequest).mockResolvedValue({ signature: cached.signature, problem: null });
  await openApp(fake);
  expect(await screen.findByTestId("answer")).toBeInTheDocument();
  expect(fake.backend.answer).toHaveBeenCalledWith({
    signature: cached.signature,
    from: "2025-01-01",
    to: "2025-01-10",
  });
});

it("says if it is not cached, and follows a further start of the program", async () => {
  const fake = makeFake();
  let ask: () => void = () => undefined;
  fake.backend.onOpenRequest = (asked) => {
    ask = asked;
    return () => undefined;
  };
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.openRequest).mockResolvedValueOnce({ signature: "9".repeat(32), problem: null });
  act(ask);
  const note = await screen.findByTestId("open-note");
  expect(note).toHaveTextContent("is not in the cache");
  await user.click(within(note).getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("open-note")).not.toBeInTheDocument();
  vi.mocked(fake.backend.openRequest).mockResolvedValueOnce({ signature: null, problem: "No such source." });
  act(ask);
  await waitFor(() => expect(screen.getByTestId("open-note")).toHaveTextContent("No such source."));
});

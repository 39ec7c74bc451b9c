import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { CachedQuery, EvictionPreview } from "../backend";
import { BackendContext } from "../backend/context";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeCached, makeFailure } from "../test/made";
import { CachedPanel } from "./CachedPanel";

const OLD = makeCached({
  signature: "a".repeat(32),
  filters: "cell: UK-01",
  bytes: 300e6,
  last_used: "2025-01-01T00:00:00Z",
});
const NEW = makeCached({ filters: "product: Brent", bytes: 500e6, last_used: "2025-01-09T00:00:00Z" });

function show(
  queries: CachedQuery[],
  budget = 20e9,
  part: { names?: Record<string, string>; forgotten?: string[] } = {},
) {
  const bytes = queries.reduce((sum, query) => sum + query.bytes, 0);
  const cached = {
    queries,
    usage: { bytes, budget, queries: queries.length },
    failure: null,
    reload: vi.fn(),
  };
  const asked = {
    open: vi.fn(() => Promise.resolve()),
    forgetting: { forgotten: new Set<string>(), forget: vi.fn(), undo: vi.fn() },
    names: {} as Record<string, string>,
    rename: vi.fn(),
    pin: vi.fn(() => Promise.resolve()),
    setBudget: vi.fn(() => Promise.resolve()),
    showPipeline: vi.fn(),
  };
  asked.names = part.names ?? {};
  part.forgotten?.forEach((signature) => asked.forgetting.forgotten.add(signature));
  const { backend } = makeFake();
  const preview = vi.mocked(backend.previewEviction);
  render(
    <BackendContext value={backend}>
      <CachedPanel cached={cached} folder="/cache" zone="UTC" current={null} {...asked} />
    </BackendContext>,
  );
  return { ...asked, preview, user: userEvent.setup() };
}

async function typeBudget(user: ReturnType<typeof userEvent.setup>, text: string, unit: "GB" | "MB") {
  await user.click(screen.getByTestId("budget-button"));
  await user.clear(await screen.findByTestId("budget-input"));
  await user.type(screen.getByTestId("budget-input"), text);
  await user.click(screen.getByTestId(`budget-${unit}`));
  await user.click(screen.getByTestId("budget-set"));
}

it("pins and unpins, and says which is which", async () => {
  const { pin, user } = show([{ ...OLD, pinned: true }, NEW]);
  const kept = screen.getByRole("button", { name: "Pin cell: UK-01" });
  expect(kept).toHaveAttribute("aria-pressed", "true");
  expect(screen.getAllByTestId("cached-open")[0]).toHaveTextContent("300 MB · pinned");
  const other = screen.getByRole("button", { name: "Pin product: Brent" });
  expect(other).toHaveAttribute("aria-pressed", "false");
  await user.click(other);
  expect(pin).toHaveBeenCalledWith(NEW, true);
  await user.click(kept);
  expect(pin).toHaveBeenCalledWith({ ...OLD, pinned: true }, false);
});

it("shows the pipeline of what is held", async () => {
  const { showPipeline, user } = show([NEW]);
  await user.click(screen.getByRole("button", { name: "Show the MongoDB pipeline of product: Brent" }));
  const key = { signature: NEW.signature, from: NEW.held[0]?.from, to: NEW.held.at(-1)?.to };
  expect(showPipeline).toHaveBeenCalledWith(key);
});

it("calls a file that cannot be read by its signature, and claims nothing of what it holds", () => {
  const failure = makeFailure("cache_damaged", "Cannot be read.");
  const damaged = { ...OLD, failure, filters: "", source: "", held: [], days: 0, input_rows: 0 };
  const other = { ...damaged, signature: "b".repeat(32), downstream_rows: 0 };
  show([{ ...damaged, downstream_rows: 0 }, other], 20e9, { forgotten: [other.signature] });
  const item = screen.getByTestId("cached-item");
  expect(item).toHaveTextContent("Query aaaaaaaa");
  expect(item).not.toHaveTextContent(/0 trades|no days|0 days/);
  expect(screen.getByRole("button", { name: "Forget Query aaaaaaaa" })).toBeInTheDocument();
  expect(screen.getByText(/the whole file \(300 MB\)/)).toBeInTheDocument();
});

it("says why a pin was refused", async () => {
  const { pin, user } = show([NEW]);
  pin.mockRejectedValue(makeFailure("cache_busy", "Another Tidemark has it."));
  await user.click(screen.getByTestId("cached-pin"));
  expect(await screen.findByTestId("cached-failure")).toHaveTextContent("Another Tidemark has it.");
});

it("shows how much of the budget is used", () => {
  show([OLD, NEW], 2e9);
  expect(screen.getByTestId("cache-usage")).toHaveTextContent("800 MB of 2 GB used");
  expect(screen.getByRole("meter")).toHaveAttribute("aria-valuetext", "800 MB of 2 GB used");
});

it("raises the budget without asking", async () => {
  const { setBudget, user } = show([OLD, NEW], 1e9);
  await typeBudget(user, "2.5", "GB");
  expect(setBudget).toHaveBeenCalledWith(2_500_000_000);
  await waitFor(() => expect(screen.queryByTestId("budget-input")).not.toBeInTheDocument());
});

it("refuses what is no size, and keeps what was typed", async () => {
  const { setBudget, preview, user } = show([OLD]);
  await typeBudget(user, "1,5", "GB");
  expect(screen.getByTestId("budget-problem")).toHaveTextContent("Enter a number such as 20 or 1.5.");
  expect(screen.getByTestId("budget-input")).toHaveValue("1,5");
  expect(preview).not.toHaveBeenCalled();
  expect(setBudget).not.toHaveBeenCalled();
});

it("says what goes before a lower budget takes it away", async () => {
  const { setBudget, preview, user } = show([NEW, OLD]);
  preview.mockResolvedValue({ queries: [OLD.signature], left: 500e6, newer: 0 });
  await typeBudget(user, "600", "MB");
  expect(preview).toHaveBeenLastCalledWith(600_000_000);
  expect(await screen.findByTestId("budget-going")).toHaveTextContent(/^cell: UK-01 10 days, 300 MB$/);
  expect(setBudget).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Back" }));
  expect(screen.getByTestId("budget-input")).toHaveValue("600");
  await user.click(screen.getByTestId("budget-set"));
  await user.click(await screen.findByTestId("budget-go"));
  expect(setBudget).toHaveBeenCalledExactlyOnceWith(600_000_000);
});

it("says when what is pinned or in use is more than the budget", async () => {
  const { setBudget, preview, user } = show([{ ...NEW, pinned: true }]);
  preview.mockResolvedValue({ queries: [], left: 500e6, newer: 0 });
  await typeBudget(user, "100", "MB");
  const confirm = await screen.findByTestId("budget-confirm");
  expect(confirm).toHaveTextContent("The cache uses more than 100 MB, but nothing can be removed.");
  expect(confirm).toHaveTextContent(
    "Everything that remains is pinned or in use. It takes 500 MB, which is more than 100 MB.",
  );
  await user.click(screen.getByRole("button", { name: "Set anyway" }));
  expect(setBudget).toHaveBeenCalledExactlyOnceWith(100_000_000);
});

it("says when files of a newer Tidemark are among what stays", async () => {
  const { preview, user } = show([OLD]);
  preview.mockResolvedValue({ queries: [], left: 500e6, newer: 1 });
  await typeBudget(user, "100", "MB");
  expect(await screen.findByTestId("budget-confirm")).toHaveTextContent(
    "Everything that remains is pinned, in use or written by a newer Tidemark. It takes 500 MB",
  );
});

it("names what goes in the order in which it goes, and says if that is not enough", async () => {
  const { preview, user } = show([NEW, OLD]);
  preview.mockResolvedValue({ queries: [OLD.signature, NEW.signature], left: 200e6, newer: 0 });
  await typeBudget(user, "100", "MB");
  const going = await screen.findByTestId("budget-going");
  const names = [...going.querySelectorAll("strong")].map((name) => name.textContent);
  expect(names).toEqual(["cell: UK-01", "product: Brent"]);
  expect(screen.getByTestId("budget-confirm")).toHaveTextContent("2 queries will be removed");
  expect(screen.getByTestId("budget-confirm")).toHaveTextContent("pinned or in use. It takes 200 MB");
});

it("counts what it does not name, and calls a query that the list lacks by its signature", async () => {
  const { preview, user } = show([OLD]);
  const unknown = Array.from({ length: 8 }, (_, at) => String(at).repeat(32));
  preview.mockResolvedValue({ queries: unknown, left: 0, newer: 0 });
  await typeBudget(user, "100", "MB");
  const going = await screen.findByTestId("budget-going");
  expect(going.querySelectorAll("li")).toHaveLength(7);
  expect(going).toHaveTextContent(/^Query 00000000 Query 11111111 .*and 2 more$/);
  expect(screen.getByTestId("budget-confirm")).not.toHaveTextContent("pinned or in use");
});

it("says that it checks a budget, and asks only once", async () => {
  const { preview, user } = show([OLD]);
  const checked = later<EvictionPreview>();
  preview.mockReturnValue(checked.promise);
  await typeBudget(user, "100", "MB");
  const set = screen.getByTestId("budget-set");
  expect(set).toHaveTextContent("Checking");
  expect(set).toHaveAttribute("aria-disabled", "true");
  await user.click(set);
  await user.type(screen.getByTestId("budget-input"), "9");
  expect(screen.getByTestId("budget-input")).toHaveValue("100");
  expect(preview).toHaveBeenCalledOnce();
  checked.resolve({ queries: [OLD.signature], left: 0, newer: 0 });
  expect(await screen.findByTestId("budget-going")).toHaveTextContent("cell: UK-01");
});

it("shows why a budget could not be checked, and sets nothing", async () => {
  const { setBudget, preview, user } = show([OLD]);
  preview.mockRejectedValueOnce(makeFailure("cache_unusable", "The folder cannot be listed."));
  await typeBudget(user, "100", "MB");
  expect(await screen.findByTestId("budget-failure")).toHaveTextContent("The folder cannot be listed.");
  expect(screen.getByTestId("budget-input")).toHaveValue("100");
  expect(setBudget).not.toHaveBeenCalled();
  await user.click(screen.getByTestId("budget-set"));
  await waitFor(() => expect(setBudget).toHaveBeenCalledExactlyOnceWith(100_000_000));
});

it("forgets at a press, and says what goes and how to undo it", async () => {
  const { forgetting, user } = show([NEW]);
  await user.click(screen.getByTestId("cached-forget"));
  expect(forgetting.forget).toHaveBeenCalledExactlyOnceWith(NEW);
});

it("shows in its place that a query is forgotten, what goes with it, and Undo", async () => {
  const { forgetting, user } = show([NEW, { ...OLD, pinned: true }], 20e9, { forgotten: [OLD.signature] });
  expect(screen.getAllByTestId("cached-item")).toHaveLength(1);
  const row = screen.getByTestId("cached-forgotten");
  expect(row).toHaveTextContent("Forgotten: cell: UK-01");
  expect(row).toHaveTextContent("This deletes 5 trades and 15 messages (10 days) from this computer.");
  expect(row).toHaveTextContent("This query is pinned. MongoDB is not affected.");
  await user.click(screen.getByRole("button", { name: "Undo forgetting cell: UK-01" }));
  expect(forgetting.undo).toHaveBeenCalledExactlyOnceWith(OLD.signature);
});

it("gives a query a name of its own, from its menu and by key, and keeps its filters in sight", async () => {
  const { rename, user } = show([NEW]);
  fireEvent.contextMenu(screen.getByTestId("cached-item"), { clientX: 9, clientY: 9 });
  await user.click(await screen.findByRole("menuitem", { name: /Rename/ }));
  const input = await screen.findByRole("textbox", { name: "Name of product: Brent" });
  await waitFor(() => expect(input).toHaveFocus());
  await user.keyboard("Monday{Escape}");
  expect(rename).not.toHaveBeenCalled();
  expect(screen.queryByTestId("cached-name-input")).not.toBeInTheDocument();
  screen.getByTestId("cached-open").focus();
  await user.keyboard("{F2}");
  await waitFor(() => expect(screen.getByTestId("cached-name-input")).toHaveFocus());
  await user.keyboard("Monday report{Enter}");
  expect(rename).toHaveBeenCalledExactlyOnceWith(NEW.signature, "Monday report");
});

it("calls a query by its name, and finds it by name, filter or day", async () => {
  const { user } = show([NEW, OLD], 20e9, { names: { [NEW.signature]: "Monday report" } });
  const [first] = screen.getAllByTestId("cached-open");
  expect(first).toHaveTextContent(/^Monday report ?product: Brent/);
  expect(screen.getByRole("button", { name: "Forget Monday report" })).toBeInTheDocument();
  const search = screen.getByRole("searchbox", { name: "Find a cached query" });
  const found = () => screen.getAllByTestId("cached-item").map(({ dataset }) => dataset.signature);
  await user.type(search, "report mon");
  expect(found()).toEqual([NEW.signature]);
  await user.clear(search);
  await user.type(search, "uk-01 2025-01-10");
  expect(found()).toEqual([OLD.signature]);
  await user.clear(search);
  await user.type(search, "nothing like this");
  expect(screen.getByText("No cached query has these words.")).toBeInTheDocument();
  await user.keyboard("{Escape}");
  expect(found()).toHaveLength(2);
});

it("offers in a menu what a file that cannot be read still allows", async () => {
  const failure = makeFailure("cache_damaged", "Cannot be read.");
  const { forgetting, user } = show([{ ...OLD, failure, held: [] }]);
  fireEvent.contextMenu(screen.getByTestId("cached-item"), { clientX: 9, clientY: 9 });
  expect(await screen.findByRole("menuitem", { name: "Open" })).toHaveAttribute("aria-disabled", "true");
  await user.click(screen.getByRole("menuitem", { name: /Forget/ }));
  expect(forgetting.forget).toHaveBeenCalledOnce();
});

it("keeps an entry of many values short, and shows its source whole", () => {
  const values = Array.from({ length: 500 }, (_, at) => `P${String(at).padStart(3, "0")}`);
  const summary = "product: P000, P001, P002 and 497 more";
  const source = "trading.messages at db1.desk.example, db2.desk.example as ann";
  show([makeCached({ filters: `product: ${values.join(", ")}`, summary, source })]);
  const open = screen.getByTestId("cached-open");
  expect(open).toHaveTextContent("product: P000, P001, P002 and 497 more");
  expect(open.textContent.length).toBeLessThan(300);
  expect(screen.getByTestId("cached-source")).toHaveTextContent(source);
  expect(screen.getByRole("button", { name: "Forget product: P000, P001, P002 and 497 more" })).toBeVisible();
});

it("tells queries apart that differ in their mapping alone", () => {
  const other = "days by execution.ts in Europe/London, trade id trade_id";
  show([NEW, { ...NEW, signature: "b".repeat(32), mapping: other }, OLD]);
  const marks = screen.getAllByTestId("cached-mapping").map((mark) => mark.textContent);
  expect(marks).toEqual([NEW.mapping, other]);
});

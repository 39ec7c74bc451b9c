// axe over the window's states. jsdom knows no colours and no layout; `contrast.test.ts` checks the colours.

import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeAnswer, makeCached, makeChange, makeChanges, makeFailure, makePartial } from "../test/made";
import { fetchAnswer, openApp, openDetails } from "./openApp";

async function problems(): Promise<string[]> {
  const found = await axe.run(document.body, {
    rules: {
      "color-contrast": { enabled: false },
      // An overlay's button for screen readers is beside its dialog, by the library's own design.
      region: { enabled: false },
    },
  });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

// axe looks for icon fonts by drawing; there are none, and nothing to draw on.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

async function open() {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([
    makeCached(),
    makeCached({ signature: "8".repeat(32), filters: "no filter", pinned: true }),
  ]);
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  return { fake, user };
}

it("finds nothing before, during and after a check", async () => {
  const { fake, user } = await open();
  expect(await problems()).toEqual([]);
  await user.click(screen.getByTestId("verify-button"));
  expect(await problems()).toEqual([]);
  const fields = [{ path: "price", before: "1", after: null }];
  const messages = [makeChange(), makeChange({ kind: "changed", id: "c", fields })];
  act(() => fake.finish(makeAnswer({ changes: makeChanges({ messages, omitted: 3 }) })));
  await openDetails(user);
  expect(await problems()).toEqual([]);
  await user.click(await screen.findByTestId("changes-button"));
  expect(await problems()).toEqual([]);
});

it("finds nothing over a partial answer and its rows", async () => {
  const { fake, user } = await open();
  await fetchAnswer(user, fake, makePartial(["2025-01-31"]));
  await screen.findByTestId("answer-line");
  await screen.findByTestId("columns-button");
  expect(await problems()).toEqual([]);
  await openDetails(user);
  expect(await problems()).toEqual([]);
  await user.click(screen.getByTestId("columns-button"));
  expect(await problems()).toEqual([]);
});

it("finds nothing in the list of cached queries and what opens from it", async () => {
  const { user } = await open();
  await user.click(screen.getByTestId("cached-tab"));
  await screen.findByTestId("cache-usage");
  expect(await problems()).toEqual([]);
  await user.click(screen.getByTestId("budget-button"));
  expect(await problems()).toEqual([]);
  await user.keyboard("{Escape}");
  await user.click(screen.getAllByTestId("cached-forget")[0] ?? document.body);
  await screen.findByTestId("cached-forgotten");
  expect(await problems()).toEqual([]);
  fireEvent.contextMenu(screen.getByTestId("cached-item"), { clientX: 9, clientY: 9 });
  await user.click(await screen.findByRole("menuitem", { name: /Rename/ }));
  await screen.findByTestId("cached-name-input");
  expect(await problems()).toEqual([]);
});

it("finds nothing in the dialogs", async () => {
  const { user } = await open();
  for (const [button, dialog] of [
    ["help-button", "shortcuts-dialog"],
    ["settings-button", "settings-dialog"],
    ["source-button", "sources-dialog"],
    ["pipeline-button", "pipeline-dialog"],
  ] as const) {
    await user.click(screen.getByTestId(button));
    await screen.findByTestId(dialog);
    expect(await problems()).toEqual([]);
    await user.keyboard("{Escape}");
  }
});

it("finds nothing in the palette, over a folded form, and in what is said in the corner", async () => {
  const { fake, user } = await open();
  await fetchAnswer(user, fake);
  await screen.findByTestId("query-chips");
  fireEvent.contextMenu(screen.getByTestId("chip-days"), { clientX: 9, clientY: 9 });
  expect(await problems()).toEqual([]);
  await user.click(await screen.findByRole("menuitem", { name: "Copy" }));
  await screen.findByTestId("toast");
  expect(await problems()).toEqual([]);
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await screen.findByTestId("palette");
  expect(await problems()).toEqual([]);
});

it("finds nothing in the form of a source and its test", async () => {
  const { user } = await open();
  await user.click(screen.getByTestId("source-button"));
  await user.click(await screen.findByTestId("source-edit"));
  await user.click(await screen.findByTestId("source-form-section"));
  await screen.findByTestId("source-form-hosts");
  await user.click(screen.getByTestId("source-test"));
  await screen.findByTestId("source-test-view");
  expect(await problems()).toEqual([]);
});

it("finds nothing at the first start and in what a database team asks", async () => {
  const user = userEvent.setup();
  await openApp(makeFake({ profile: null, connection: { state: "not_configured" }, has_sample: true }));
  expect(await problems()).toEqual([]);
  await user.click(screen.getByTestId("welcome-database-team"));
  await screen.findByRole("heading", { name: "What it reads" });
  expect(await problems()).toEqual([]);
});

it("finds nothing in the filters of the rows, nor in what is wrong with one", async () => {
  const { fake, user } = await open();
  await fetchAnswer(user, fake, makeAnswer());
  await user.click(await screen.findByTestId("filter-row-button"));
  const field = await screen.findByRole("textbox", { name: "Filter _id" });
  await user.type(field, "a{Enter}");
  expect(await screen.findByTestId("narrowed")).toHaveTextContent("1 of 2 rows");
  expect(await problems()).toEqual([]);
  const target = { field: "column" as const, path: "_id" };
  const refused = makeFailure("bad_filter", "It cannot be used.", target);
  vi.mocked(fake.backend.rowCount).mockRejectedValue(refused);
  await user.clear(field);
  await user.type(field, "={Enter}");
  expect(await screen.findByTestId("filter-mistakes")).toHaveTextContent("It cannot be used.");
  expect(field).toHaveAttribute("aria-invalid", "true");
  expect(await problems()).toEqual([]);
});

it("finds nothing in a search of the rows, in the values of a column, and in what it adds up to", async () => {
  const { fake, user } = await open();
  const values = [{ value: "a", rows: 1 }];
  vi.mocked(fake.backend.columnValues).mockResolvedValue({ generation: 1, values, further: 3, empty: 1 });
  await fetchAnswer(user, fake, makeAnswer());
  await screen.findByTestId("columns-button");
  await user.keyboard("{Control>}f{/Control}");
  await user.type(await screen.findByTestId("find-input"), "x{Enter}");
  expect(await screen.findByText("No row has this text")).toBeInTheDocument();
  expect(await problems()).toEqual([]);
  await user.keyboard("{Control>}g{/Control}");
  await user.type(await screen.findByTestId("go-to-input"), "99{Enter}");
  expect(await problems()).toEqual([]);
  await user.keyboard("{Escape}");
  await user.keyboard("{Control>}{Shift>}s{/Shift}{/Control}");
  expect(await screen.findByText("2 of 2 rows filled, 2 different")).toBeInTheDocument();
  expect(await problems()).toEqual([]);
  await user.keyboard("{Alt>}{Enter}{/Alt}");
  expect(await screen.findByRole("checkbox", { name: /^a/ })).toBeInTheDocument();
  expect(await problems()).toEqual([]);
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement?.closest("[role=grid]")).not.toBeNull());
});

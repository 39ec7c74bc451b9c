// The palette, the overview of keys and the menus are fed from one table of commands.

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { RefObject } from "react";
import { expect, it, vi } from "vitest";

import { namedOf } from "../controls/keys";
import type { GridHandle } from "../rows/grid/GridView";
import { makeFake } from "../test/fakeBackend";
import { makeGridHandle } from "../test/gridHandle";
import { makeCached, makeQuery } from "../test/made";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted(() => ({ performed: vi.fn(), focused: vi.fn() }));
vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ ref }: { ref: RefObject<GridHandle | null> }) => {
    const here = () => ({ row: 4, path: "price" });
    ref.current = makeGridHandle({ focus: grid.focused, perform: grid.performed, here });
    return <div data-testid="grid" />;
  },
}));

const product = { field: "product", operator: "any_of" as const, values: ["Brent"] };

async function open(fake = makeFake({ form: makeQuery({ filters: [product] }) })) {
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  return { fake, user };
}

async function openPalette() {
  const made = await open();
  await made.user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await waitFor(() => expect(screen.getByTestId("palette-input")).toHaveFocus());
  return made;
}

it("lists every command of the window that has a name, with its keys", async () => {
  await openPalette();
  const items = within(screen.getByTestId("palette")).getAllByRole("menuitem");
  const texts = items.map((item) => item.textContent);
  for (const { name, keys } of namedOf("window")) expect(texts).toContain(`${name}${keys}`);
  // There are no rows yet, so nothing is offered for them.
  expect(texts.some((text) => text.startsWith("Select the row"))).toBe(false);
});

it("runs what is found by parts of its name", async () => {
  const { fake, user } = await openPalette();
  await user.keyboard("every day");
  expect(within(screen.getByTestId("palette")).getAllByRole("menuitem")).toHaveLength(1);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(fake.backend.fetch).toHaveBeenCalledOnce());
  expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[2]).toBe("refresh");
  expect(screen.queryByTestId("palette")).not.toBeInTheDocument();
});

it("says why a command does nothing where its button is blocked", async () => {
  const { fake, user } = await open();
  await user.click(screen.getByTestId("fetch-button"));
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await screen.findByTestId("palette");
  await user.keyboard("verify{Enter}");
  expect(await screen.findByTestId("toast")).toHaveTextContent("Nothing was fetched: a fetch is running");
  expect(fake.backend.fetch).toHaveBeenCalledOnce();
});

it("opens another dialog, and a cached query", async () => {
  const { fake, user } = await openPalette();
  await user.keyboard("settings{Enter}");
  expect(await screen.findByTestId("settings-dialog")).toBeInTheDocument();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByTestId("settings-dialog")).not.toBeInTheDocument());
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await screen.findByTestId("palette");
  await user.keyboard("product: Brent{Enter}");
  await waitFor(() => expect(fake.backend.answer).toHaveBeenCalledOnce());
});

it("performs a command of the rows at the current cell", async () => {
  const { fake, user } = await open();
  await fetchAnswer(user, fake);
  await screen.findByTestId("grid");
  await user.keyboard("{Control>}{Shift>}p{/Shift}{/Control}");
  await screen.findByTestId("palette");
  await user.keyboard("copy with headings{Enter}");
  await waitFor(() =>
    expect(grid.performed).toHaveBeenLastCalledWith("copy_with_heading", { row: 4, path: "price" }),
  );
});

it("is listed in the overview of keys", async () => {
  const { user } = await open();
  await user.keyboard("{F1}");
  const help = await screen.findByTestId("shortcuts-dialog");
  expect(within(help).getByText("Ctrl+Shift+P").nextSibling).toHaveTextContent("Find a command by its name");
  expect(within(help).getByText("F2, Delete").nextSibling).toHaveTextContent("Rename or forget the query");
});

it("offers on a day what makes it the range, by mouse and by key", async () => {
  const { fake, user } = await open();
  const range = () => vi.mocked(fake.backend.plan).mock.lastCall?.[0];
  const day = (date: string) => document.querySelector<HTMLElement>(`[data-day="${date}"]`) ?? document.body;
  expect(fireEvent.contextMenu(day("2025-01-10"), { clientX: 9, clientY: 9 })).toBe(false);
  await user.click(await screen.findByRole("menuitem", { name: "Begin the range here" }));
  await waitFor(() => expect(range()).toMatchObject({ from: "2025-01-10", to: "2025-01-31" }));
  await waitFor(() => expect(screen.getByTestId("day-strip")).toHaveAttribute("data-days", "22"));
  fireEvent.contextMenu(day("2025-01-20"), { clientX: 9, clientY: 9 });
  await user.click(await screen.findByRole("menuitem", { name: "Copy what is known of it" }));
  expect(vi.mocked(fake.backend.copyText).mock.lastCall?.[0]).toContain("2025-01-20 Monday · to fetch");
  day("2025-01-15").focus();
  fireEvent.keyDown(day("2025-01-15"), { key: "Enter" });
  await waitFor(() => expect(range()).toMatchObject({ from: "2025-01-15", to: "2025-01-15" }));
});

it("offers on a chip to take its filter away, but never the days", async () => {
  const { fake, user } = await open();
  await fetchAnswer(user, fake);
  fireEvent.contextMenu(await screen.findByTestId("chip-days"), { clientX: 9, clientY: 9 });
  expect(await screen.findByRole("menuitem", { name: /Remove/ })).toHaveAttribute("aria-disabled", "true");
  await user.keyboard("{Escape}");
  fireEvent.keyDown(screen.getByTestId("chip-row-0"), { key: "F10", shiftKey: true });
  await user.click(await screen.findByRole("menuitem", { name: /Remove/ }));
  await waitFor(() => expect(screen.queryByTestId("chip-row-0")).not.toBeInTheDocument());
  await waitFor(() => expect(vi.mocked(fake.backend.plan).mock.lastCall?.[0].filters).toEqual([]));
});

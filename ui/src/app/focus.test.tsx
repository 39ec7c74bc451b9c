// The focus is never lost, and every part of the window is within easy reach.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeCached } from "../test/made";
import { fetchAnswer, openApp, unfold } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: () => (
    <div className="grid-host">
      <button type="button" data-testid="cell">
        cell
      </button>
      <div tabIndex={0} data-testid="active-cell" />
    </div>
  ),
}));

async function openRows() {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("active-cell");
  await unfold(user);
  return { fake, user };
}

it("keeps the keyboard when the panel it is in goes, and gives it back when it comes", async () => {
  const { user } = await openRows();
  const input = screen.getByTestId("filter-product-input");
  await user.click(input);
  await user.keyboard("{Control>}b{/Control}");
  expect(input).not.toBeVisible();
  expect(screen.getByTestId("active-cell")).toHaveFocus();
  await user.keyboard("{Control>}b{/Control}");
  expect(input).toHaveFocus();
});

it("leaves the keyboard in the rows when the panel goes and comes", async () => {
  const { user } = await openRows();
  act(() => screen.getByTestId("active-cell").focus());
  await user.keyboard("{Control>}bb{/Control}");
  expect(screen.getByTestId("active-cell")).toHaveFocus();
});

it("gives the keyboard back when the list of keys is closed", async () => {
  const { user } = await openRows();
  for (const id of ["active-cell", "filter-product-input"]) {
    act(() => screen.getByTestId(id).focus());
    await user.keyboard("{F1}");
    await screen.findByTestId("shortcuts-dialog");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.getByTestId(id)).toHaveFocus());
  }
});

it("gives the keyboard to the rows when the place that had it has gone meanwhile", async () => {
  const { user } = await openRows();
  const cell = screen.getByTestId("cell");
  act(() => cell.focus());
  await user.keyboard("{F1}");
  await screen.findByTestId("shortcuts-dialog");
  cell.remove();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.getByTestId("active-cell")).toHaveFocus());
});

it("has a key for each part of the window", async () => {
  const { user } = await openRows();
  await user.keyboard("{Control>}4{/Control}");
  expect(screen.getByTestId("active-cell")).toHaveFocus();
  await user.keyboard("{Control>}3{/Control}");
  expect(screen.getByTestId("fetch-button")).toHaveFocus();
  await user.keyboard("{Control>}2{/Control}");
  await waitFor(() => expect(screen.getByTestId("cached-open")).toHaveFocus());
  await user.keyboard("{Control>}1{/Control}");
  await waitFor(() =>
    expect(screen.getByTestId("date-from")).toContainElement(document.activeElement as HTMLElement),
  );
});

it("walks through its parts with F6", async () => {
  const { user } = await openRows();
  act(() => screen.getByTestId("source-button").focus());
  const parts = [];
  for (let press = 0; press < 4; press += 1) {
    await user.keyboard("{F6}");
    parts.push(document.activeElement?.closest("[data-region]")?.getAttribute("data-region"));
  }
  expect(parts).toEqual(["side", "plan", "rows", "top"]);
  await user.keyboard("{Shift>}{F6}{/Shift}");
  expect(screen.getByTestId("active-cell")).toHaveFocus();
});

it("is one Tab from the rows, and names its parts", async () => {
  const { user } = await openRows();
  act(() => (document.activeElement as HTMLElement).blur());
  await user.tab();
  expect(screen.getByRole("button", { name: "Go to the rows" })).toHaveFocus();
  await user.keyboard("{Enter}");
  expect(screen.getByTestId("active-cell")).toHaveFocus();
  expect(screen.getByRole("banner")).toBeInTheDocument();
  expect(screen.getByRole("complementary", { name: "Query and cached queries" })).toBeInTheDocument();
  const main = within(screen.getByRole("main"));
  for (const name of ["Plan", "Answer", "Rows"])
    expect(main.getByRole("region", { name })).toBeInTheDocument();
});

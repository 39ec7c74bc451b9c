// What stands around the grid: its foot and what it says of a selection.

import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Content, Handlers } from "./grid/controller";
import { makeFake } from "./test/fakeBackend";
import { makeAnswer } from "./test/made";
import { openApp } from "./test/openApp";

const grid = vi.hoisted(() => ({ props: null as Drawn | null }));
interface Drawn {
  content: Content;
  handlers: Handlers;
}
vi.mock("./grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    return <div data-testid="grid">{props.content.length}</div>;
  },
}));

async function openRows() {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.finish(makeAnswer()));
  await screen.findByTestId("grid");
  return { fake, user };
}

it("says what a copy will hold while more than one cell is selected", async () => {
  await openRows();
  act(() => grid.props?.handlers.selected({ rows: 2, columns: 3 }));
  expect(screen.getByTestId("grid-selection")).toHaveTextContent(
    "2 rows × 3 columns selected; Ctrl+C copies them",
  );
  act(() => grid.props?.handlers.selected({ rows: 1, columns: 1 }));
  expect(screen.getByTestId("grid-selection")).toBeEmptyDOMElement();
});

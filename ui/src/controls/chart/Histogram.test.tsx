import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { Histogram } from "./Histogram";

const BARS = [
  { label: "0 to 5", rows: 30 },
  { label: "5 to 10", rows: 1 },
  { label: "10 to 15", rows: 69 },
];

function open() {
  const onSelect = vi.fn();
  render(<Histogram label="Values of price" bars={BARS} onSelect={onSelect} />);
  const list = screen.getByRole("listbox", { name: "Values of price" });
  vi.spyOn(list, "getBoundingClientRect").mockReturnValue(new DOMRect(100, 0, 300, 60));
  return { onSelect, list, user: userEvent.setup() };
}

const chosen = () => screen.queryAllByRole("option", { selected: true }).map((bar) => bar.ariaLabel);

it("reads out each bar", () => {
  open();
  const named = screen.getAllByRole("option").map((bar) => bar.getAttribute("aria-label"));
  expect(named).toEqual(["0 to 5: 30 rows", "5 to 10: 1 row", "10 to 15: 69 rows"]);
});

it("selects what is dragged over, and says how much that is", () => {
  const { onSelect, list } = open();
  fireEvent.pointerDown(list, { button: 0, clientX: 390 });
  fireEvent.pointerMove(list, { clientX: 210 });
  expect(screen.getByTestId("bar-tip")).toHaveTextContent("5 to 10 to 10 to 15");
  expect(screen.getByTestId("bar-tip")).toHaveTextContent("70 rows, 70 %");
  expect(onSelect).not.toHaveBeenCalled();
  fireEvent.pointerUp(list, { clientX: 210 });
  expect(onSelect).toHaveBeenCalledExactlyOnceWith({ first: 1, last: 2 });
  expect(chosen()).toHaveLength(2);
});

it("selects all bars between two, so that they have one condition", () => {
  const { onSelect, list } = open();
  const click = (clientX: number, ctrlKey = false) => {
    fireEvent.pointerDown(list, { button: 0, clientX });
    fireEvent.pointerUp(list, { clientX, ctrlKey });
  };
  click(110);
  click(390, true);
  expect(onSelect).toHaveBeenLastCalledWith({ first: 0, last: 2 });
  expect(chosen()).toHaveLength(3);
});

it("is used by keys alone", async () => {
  const { onSelect, user } = open();
  await user.tab();
  expect(screen.getByTestId("bar-tip")).toHaveTextContent("0 to 5");
  await user.keyboard("{ArrowRight}");
  expect(onSelect).toHaveBeenLastCalledWith({ first: 1, last: 1 });
  await user.keyboard("{Shift>}{End}{/Shift}");
  expect(onSelect).toHaveBeenLastCalledWith({ first: 1, last: 2 });
  await user.keyboard("{Control>}{Home}{/Control}");
  expect(document.activeElement).toHaveAttribute("aria-label", "0 to 5: 30 rows");
  expect(onSelect).toHaveBeenCalledTimes(2);
  await user.keyboard("{Escape}");
  expect(chosen()).toEqual([]);
  expect(onSelect).toHaveBeenLastCalledWith(null);
});

it("can be only looked at", async () => {
  render(<Histogram label="Values of price" bars={BARS} />);
  await userEvent.tab();
  await userEvent.keyboard("{ArrowRight}");
  expect(screen.getByTestId("bar-tip")).toHaveTextContent("5 to 10");
  expect(chosen()).toEqual([]);
});

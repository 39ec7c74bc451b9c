import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { SortMark } from "./SortMark";

const SHAPE = {
  columns: [{ path: "timestamp", label: null, types: ["date"], numeric: false }],
  rows: 2,
  generation: 1,
  reading_order: [0],
  time_column: "timestamp",
  trade_column: null,
  status_column: null,
};

it("says the order of unsorted rows in windows of every width", () => {
  render(<SortMark role="downstream" shape={SHAPE} sorts={[]} setSorts={vi.fn()} />);
  const mark = screen.getByTestId("sort-state");
  expect(mark).toHaveTextContent("by trade day and time");
  expect(mark).not.toHaveClass("wide-only");
});

it("says which way rows are sorted in its name and its tooltip, however little of it fits", async () => {
  const sorts = [{ path: "timestamp", descending: false }];
  render(<SortMark role="input" shape={SHAPE} sorts={sorts} setSorts={vi.fn()} />);
  const mark = screen.getByRole("button", { name: "Sorted by timestamp, oldest first. Remove the sort" });
  expect(mark).toHaveTextContent("▲ timestampoldest first");
  await userEvent.setup().tab();
  expect(mark).toHaveFocus();
  expect(await screen.findByRole("tooltip")).toHaveTextContent("Sorted by timestamp, oldest first");
});

it("names every column of the order, and removes all of it", async () => {
  const columns = [...SHAPE.columns, { path: "price", label: null, types: ["decimal128"], numeric: true }];
  const sorts = [
    { path: "price", descending: true },
    { path: "timestamp", descending: false },
  ];
  const setSorts = vi.fn();
  render(<SortMark role="input" shape={{ ...SHAPE, columns }} sorts={sorts} setSorts={setSorts} />);
  const mark = screen.getByRole("button", {
    name: "Sorted by price, largest first, then by timestamp, oldest first. Remove the sort",
  });
  expect(mark).toHaveTextContent(/^▼ price, ▲ timestamp$/);
  await userEvent.setup().click(mark);
  expect(setSorts).toHaveBeenCalledExactlyOnceWith([]);
});

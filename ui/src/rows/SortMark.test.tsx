import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { SortMark } from "./SortMark";

const SHAPE = {
  columns: [{ path: "timestamp", types: ["date"], numeric: false }],
  rows: 2,
  generation: 1,
  time_column: "timestamp",
};

it("says the order of unsorted rows in windows of every width", () => {
  render(<SortMark role="downstream" shape={SHAPE} sort={null} setSort={vi.fn()} />);
  const mark = screen.getByTestId("sort-state");
  expect(mark).toHaveTextContent("by trade day and time");
  expect(mark).not.toHaveClass("wide-only");
});

it("says which way rows are sorted in its name and its tooltip, however little of it fits", async () => {
  const sort = { path: "timestamp", descending: false };
  render(<SortMark role="input" shape={SHAPE} sort={sort} setSort={vi.fn()} />);
  const mark = screen.getByRole("button", { name: "Sorted by timestamp, oldest first. Remove the sort" });
  expect(mark).toHaveTextContent("▲ timestampoldest first");
  await userEvent.setup().tab();
  expect(mark).toHaveFocus();
  expect(await screen.findByRole("tooltip")).toHaveTextContent("Sorted by timestamp, oldest first");
});

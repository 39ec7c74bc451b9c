import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";

import { ColumnChooser } from "./ColumnChooser";
import { type ColumnPrefs, NO_PREFS } from "./grid/columns";

const COLUMNS = ["_id", "price", "note"].map((path) => ({
  path,
  label: null,
  types: ["string"],
  numeric: false,
}));
const SHAPE = { columns: COLUMNS, reading_order: [0, 1, 2] };
const changed = vi.fn();

function Held() {
  const [prefs, setPrefs] = useState<ColumnPrefs>(NO_PREFS);
  const change = (next: ColumnPrefs) => {
    changed(next);
    setPrefs(next);
  };
  return <ColumnChooser shape={SHAPE} prefs={prefs} change={change} sorts={[]} setSorts={vi.fn()} />;
}

const rows = () => screen.getAllByTestId("column-row").map((row) => row.dataset.path);

it("moves columns by button and by key, keeps the keyboard and says where they are", async () => {
  const user = userEvent.setup();
  render(<Held />);
  await user.click(screen.getByTestId("columns-button"));
  await user.click(screen.getByRole("button", { name: "Move _id down" }));
  expect(rows()).toEqual(["price", "_id", "note"]);
  expect(screen.getByRole("button", { name: "Move _id down" })).toHaveFocus();
  expect(screen.getByTestId("column-announcement")).toHaveTextContent("_id is column 2 of 3");

  screen.getByRole("checkbox", { name: "note" }).focus();
  await user.keyboard("{Alt>}{ArrowUp}{ArrowUp}{/Alt}");
  expect(rows()).toEqual(["note", "price", "_id"]);
  expect(screen.getByRole("checkbox", { name: "note" })).toHaveFocus();
  await user.keyboard("{Alt>}{ArrowUp}{/Alt}");
  expect(rows()).toEqual(["note", "price", "_id"]);
  expect(changed).toHaveBeenLastCalledWith({ ...NO_PREFS, order: ["note", "price", "_id"] });
});

it("sorts by one column, and with Shift by a further one", async () => {
  const user = userEvent.setup();
  const setSorts = vi.fn();
  const sorts = [{ path: "price", descending: true }];
  const chooser = (by: typeof sorts) => (
    <ColumnChooser shape={SHAPE} prefs={NO_PREFS} change={vi.fn()} sorts={by} setSorts={setSorts} />
  );
  const { rerender } = render(chooser(sorts));
  await user.click(screen.getByTestId("columns-button"));
  const note = screen.getByRole("button", { name: "Sort by note" });
  await user.click(note);
  expect(setSorts).toHaveBeenLastCalledWith([{ path: "note", descending: false }]);
  note.focus();
  await user.keyboard("{Shift>}{Enter}{/Shift}");
  const both = [...sorts, { path: "note", descending: false }];
  expect(setSorts).toHaveBeenLastCalledWith(both);
  rerender(chooser(both));
  expect(note).toHaveTextContent("2: A to Z");
  expect(screen.getByRole("button", { name: "Sort by price" })).toHaveTextContent("1: Z to A");
});

it("calls a column by its label, and still names its path", async () => {
  const user = userEvent.setup();
  const columns = COLUMNS.map((column) => ({
    ...column,
    label: column.path === "price" ? "Deal price" : null,
  }));
  render(
    <ColumnChooser
      shape={{ ...SHAPE, columns }}
      prefs={NO_PREFS}
      change={() => undefined}
      sorts={[]}
      setSorts={() => undefined}
    />,
  );
  await user.click(screen.getByTestId("columns-button"));
  expect(screen.getByText("Deal price")).toHaveAttribute("title", "price");
  expect(screen.getByRole("button", { name: "Sort by Deal price" })).toBeInTheDocument();
});

import { expect, it } from "vitest";

import { NO_PREFS } from "./columns";
import { ColumnWidths } from "./columnWidths";

const column = { path: "status", label: null, types: ["string"], numeric: false };

it("leaves room for the mark of the column that colours the rows", () => {
  const widths = new ColumnWidths();
  widths.fitTo([column], [["unconfirmed by the desk"]]);
  const plain = widths.drawn(column, 0, NO_PREFS);
  expect(widths.drawn(column, 0, { ...NO_PREFS, coloured: "status" })).toBeGreaterThan(plain + 10);
  expect(widths.drawn(column, 0, { ...NO_PREFS, coloured: "other" })).toBe(plain);
});

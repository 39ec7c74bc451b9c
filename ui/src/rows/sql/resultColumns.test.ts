import { expect, it } from "vitest";

import { sortsOf, viewsOf } from "./resultColumns";

const columns = viewsOf([
  { name: "product", sql_type: "VARCHAR", numeric: false },
  { name: "sum(lots)", sql_type: "DECIMAL(38,2)", numeric: true },
  { name: "at", sql_type: "TIMESTAMP", numeric: false },
]);

it("shows texts, numbers and times like those of the other tables", () => {
  expect(columns.map(({ types, numeric }) => [types, numeric])).toEqual([
    [["string"], false],
    [["DECIMAL(38,2)"], true],
    [["date"], false],
  ]);
});

it("sorts by the numbers of the columns, and not by those that are gone", () => {
  const sorts = [
    { path: "at", descending: true },
    { path: "price", descending: false },
    { path: "product", descending: false },
  ];
  expect(sortsOf(columns, sorts)).toEqual([
    { column: 2, descending: true },
    { column: 0, descending: false },
  ]);
});

// A backend with an answer of many rows, of which a filter leaves 1,204.

import { vi } from "vitest";

import type { ColumnFilter, RowCount, ViewShape } from "../backend";
import { type Fake, makeFake } from "./fakeBackend";

const column = (path: string, numeric = false) => ({
  path,
  label: null,
  types: [numeric ? "decimal128" : "string"],
  numeric,
});

export function textFilter(path: string, typed: string): ColumnFilter {
  return { path, condition: { kind: "text", text: typed } };
}

export function makeRows(): Fake {
  const fake = makeFake();
  const shape: ViewShape = {
    columns: [column("_id"), column("product"), column("price", true)],
    rows: 48_211,
    generation: 1,
    reading_order: [1, 2, 0],
    time_column: null,
    trade_column: null,
    status_column: null,
  };
  const count: RowCount = { generation: 1, rows: 1_204, of: 48_211 };
  Object.assign(fake.backend, {
    viewShape: vi.fn(() => Promise.resolve(shape)),
    rowCount: vi.fn(() => Promise.resolve(count)),
  });
  return fake;
}

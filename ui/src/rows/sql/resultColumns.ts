// The columns of a result as the grid knows columns.

import type { ColumnView, Sort, SqlResultColumn, SqlSort } from "../../backend";

/** What the grid calls the types whose cells it shows in a way of their own. */
const TYPES: Record<string, string> = {
  VARCHAR: "string",
  BOOLEAN: "bool",
  TIMESTAMP: "date",
  "TIMESTAMP WITH TIME ZONE": "date",
};

/** The columns; each has a name of its own. */
export function viewsOf(columns: readonly SqlResultColumn[]): ColumnView[] {
  return columns.map(({ name, sql_type, numeric }) => ({
    path: name,
    label: null,
    types: [TYPES[sql_type] ?? sql_type],
    numeric,
  }));
}

/** The sorts by the numbers of their columns. */
export function sortsOf(columns: readonly ColumnView[], sorts: readonly Sort[]): SqlSort[] {
  return sorts.flatMap(({ path, descending }) => {
    const column = columns.findIndex((one) => one.path === path);
    return column < 0 ? [] : [{ column, descending }];
  });
}

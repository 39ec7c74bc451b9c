// Rows as tab separated text, the way spreadsheets paste it.

export type Cell = string | null;

function field(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  // A spreadsheet needs quotes only if the text itself would break the table.
  return /[\t\r\n"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The columns with the given indexes, with the heading first if one is given. */
export function toTsv(
  rows: readonly (readonly (Cell | undefined)[])[],
  columns: readonly number[],
  heading: readonly string[] | null,
): string {
  const lines = rows.map((row) => columns.map((column) => field(row[column])).join("\t"));
  return [...(heading ? [heading.map(field).join("\t")] : []), ...lines].join("\n");
}

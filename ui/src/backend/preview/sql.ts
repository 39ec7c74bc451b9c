// SQL in the preview. It understands no more than `FROM` and `LIMIT`: the rows are those of a table as they are.

import type { Failure, Role, SqlColumn, SqlSort, ViewKey } from "../types";
import type { Backend } from "..";
import type { Rows } from "./asked";
import { columnsOf, makeRow } from "./rows";
import { exportOf } from "./exports";
import { wait } from "./wait";

const SLOW_MS = 400;
/** How many results are kept, as in the engine. */
const KEPT = 3;
const TABLES: Record<string, Role> = { trades: "input", messages: "downstream" };

const refuse = (failure: Failure) => Promise.reject(failure);

const typeOf = (types: string[], numeric: boolean) => {
  if (types.includes("date")) return "TIMESTAMP";
  if (types.includes("decimal128")) return "DECIMAL(10,4)";
  return numeric ? "BIGINT" : "VARCHAR";
};

const written = (path: string) => (/^[a-z_]\w*$/i.test(path) ? path : `"${path}"`);

function sqlColumns(role: Role): SqlColumn[] {
  return columnsOf(role).map(({ path, types, numeric }) => ({
    name: written(path),
    sql_type: typeOf(types, numeric),
  }));
}

/** The line and the column of a place in a text, from 1. */
function placeOf(text: string, at: number) {
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

type Calls = Pick<Backend, "sqlTables" | "runSql" | "sqlPage" | "closeSql" | "exportSql">;

export function sqlCalls({ total, calendar }: Rows, isComplete: () => boolean): Calls {
  const results = new Map<number, { role: Role; rows: number }>();
  let last = 0;

  const wrong = (message: string, text: string, at: number) => {
    const { line, column } = placeOf(text, at);
    return refuse({
      code: "bad_filter",
      message: `${message} (line ${line}, column ${column}).`,
      next: "Correct the SQL and run it again.",
      cause: null,
      target: { field: "sql", line, column },
    });
  };

  const kept = async (id: number) => {
    const found = results.get(id);
    if (found !== undefined) return found;
    return refuse({
      code: "not_cached",
      message: "This result is not kept any more.",
      next: "Run the SQL again.",
      cause: null,
      target: null,
    });
  };

  const rowsOf = (key: ViewKey, role: Role, rows: number, sorts: SqlSort[]) => {
    const days = calendar(key);
    const all = Array.from({ length: rows }, (_, place) => makeRow(role, place, days));
    const [first] = sorts;
    if (first === undefined) return all;
    const numeric = columnsOf(role)[first.column]?.numeric === true;
    const sign = first.descending ? -1 : 1;
    const cell = (row: (string | null)[]) => row[first.column] ?? "";
    return all.sort((a, b) => {
      const order = numeric ? Number(cell(a)) - Number(cell(b)) : cell(a) < cell(b) ? -1 : 1;
      return sign * order;
    });
  };

  return {
    sqlTables: (key) =>
      Promise.resolve(
        Object.entries(TABLES).map(([name, role]) => ({
          name,
          rows: total(key, role),
          columns: sqlColumns(role),
        })),
      ),
    async runSql(key, _narrowed, text) {
      await wait(SLOW_MS);
      const from = /\bfrom\s+(\S+)/i.exec(text);
      if (!/^\s*(select|from|with)\b/i.test(text)) return wrong("Only a SELECT can be run", text, 0);
      const name = (from?.[1] ?? "").replace(/[;)]+$/, "");
      const role = TABLES[name.toLowerCase()];
      if (from === null || role === undefined) {
        const at = from === null ? text.length : from.index + from[0].length - (from[1] ?? "").length;
        return wrong(`There is no table ${name}: the tables are trades and messages`, text, at);
      }
      const limit = /\blimit\s+(\d+)/i.exec(text)?.[1];
      const rows = Math.min(Number(limit ?? 1_000), total(key, role));
      last += 1;
      results.set(last, { role, rows });
      for (const id of results.keys()) if (results.size > KEPT) results.delete(id);
      return {
        id: last,
        rows,
        elapsed_ms: SLOW_MS,
        columns: columnsOf(role).map(({ path, types, numeric }) => ({
          name: path,
          sql_type: typeOf(types, numeric),
          numeric,
        })),
      };
    },
    async sqlPage(key, id, sorts, offset, limit) {
      const { role, rows } = await kept(id);
      return { rows: rowsOf(key, role, rows, sorts).slice(offset, offset + limit) };
    },
    closeSql(_key, id) {
      results.delete(id);
      return Promise.resolve();
    },
    async exportSql(_exportId, _key, id, _sorts, options, onProgress) {
      const { rows } = await kept(id);
      return exportOf(["Brent SQL", rows, 96_000], options, isComplete(), onProgress);
    },
  };
}

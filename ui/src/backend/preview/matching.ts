// Which of the preview's rows meet a row query: enough of what the engine understands to look at the window.

import type { ColumnCondition, Failure, RowQuery } from "../types";
import { columnsOf } from "./rows";

type Cell = string | null;
type Test = (cell: Cell) => boolean;

/** A value of a condition as it is compared: as a number if both are numbers. */
function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a === b ? 0 : a < b ? -1 : 1;
}

const bare = (text: string) => text.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"');

function refuse(path: string, what: string, at: number): never {
  const failure: Failure = {
    code: "bad_filter",
    message: `The filter of ${path} cannot be used: ${what} (character ${at}).`,
    next: "Correct the filter and try again.",
    cause: null,
    target: { field: "column", path },
  };
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Failures cross as plain data.
  throw failure;
}

function testOf(path: string, text: string): Test {
  if (text === "empty") return (cell) => cell === null;
  const [, operator = "", rest = ""] = /^(!=|>=|<=|[!~=<>]|)\s*(.*)$/s.exec(text) ?? [];
  if (operator !== "" && rest === "") refuse(path, `something has to follow ${operator}`, 1);
  const filled =
    (test: (cell: string) => boolean): Test =>
    (cell) =>
      cell !== null && test(cell);
  const value = bare(rest);
  if (operator === "!") {
    const test = testOf(path, rest);
    return filled((cell) => !test(cell));
  }
  if (operator === "=") return filled((cell) => compare(cell, value) === 0);
  if (operator === "!=") return filled((cell) => compare(cell, value) !== 0);
  if (operator === ">") return filled((cell) => compare(cell, value) > 0);
  if (operator === ">=") return filled((cell) => compare(cell, value) >= 0);
  if (operator === "<") return filled((cell) => compare(cell, value) < 0);
  if (operator === "<=") return filled((cell) => compare(cell, value) <= 0);
  const range = /^(.*?)\.\.(.*)$/s.exec(rest);
  if (range !== null && operator === "" && !rest.startsWith('"')) {
    const [, low = "", high = ""] = range;
    if (low === "" && high === "") refuse(path, "a range has to begin or end somewhere", 1);
    return filled(
      (cell) => (low === "" || compare(cell, low) >= 0) && (high === "" || compare(cell, high) <= 0),
    );
  }
  return filled((cell) => cell.toLowerCase().includes(value.toLowerCase()));
}

function conditionTest(path: string, condition: ColumnCondition): Test {
  if (condition.kind === "values") {
    const values = new Set(condition.values);
    return (cell) => (cell === null ? condition.empty : values.has(cell));
  }
  const parts = condition.text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? [];
  const terms = parts.map((part) => part.trim()).filter((part) => part !== "");
  const tests = (negated: boolean) =>
    terms.filter((term) => term.startsWith("!") === negated).map((term) => testOf(path, term));
  const [all, any] = [tests(true), tests(false)];
  return (cell) => (any.length === 0 || any.some((test) => test(cell))) && all.every((test) => test(cell));
}

/** A test of rows; null if all of them are meant. */
export function rowTest({ role, filters = [] }: RowQuery): ((row: readonly Cell[]) => boolean) | null {
  if (filters.length === 0) return null;
  const columns = columnsOf(role);
  const tests = filters.map(({ path, condition }) => ({
    index: columns.findIndex((column) => column.path === path),
    test: conditionTest(path, condition),
  }));
  return (row) => tests.every(({ index, test }) => test(row[index] ?? null));
}

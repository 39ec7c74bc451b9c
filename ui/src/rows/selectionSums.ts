// What the selected cells add up to, worked out from the texts of a page without losing a digit.

import type { ColumnView } from "../backend";
import {
  averageOf,
  compareDecimals,
  type Decimal,
  decimalText,
  ExactSum,
  parseNumeral,
} from "../controls/decimal";
import { count, plural } from "../controls/format";
import type { Row } from "./grid/lazyRows";

/** The same figures as the engine's of a whole column, without those that only it can know. */
export interface CellSums {
  cells: number;
  filled: number;
  numbers: number;
  sum: string | null;
  average: string | null;
  min: string | null;
  max: string | null;
}

/** A column of the selection, and the place of its cells in a row. */
export interface SummedColumn {
  column: ColumnView | undefined;
  place: number;
}

const NUMBERS = new Set(["int32", "int64", "double", "decimal128"]);

/** Whether every value of a column is a number. In a column with texts, a text may look like one and is none. */
export function hasNumbers(column: ColumnView | undefined): boolean {
  if (column === undefined) return false;
  const types = column.types.filter((type) => type !== "null");
  return column.numeric || (types.length > 0 && types.every((type) => NUMBERS.has(type)));
}

/** The least and the greatest of what was added, with their texts. */
class Ends<T> {
  #min: { value: T; text: string } | null = null;
  #max: { value: T; text: string } | null = null;
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  add(value: T, text: string): void {
    // Of equal values the text that comes first, in either direction.
    const before = (held: { value: T; text: string }, way: 1 | -1) => {
      const order = way * this.#compare(value, held.value);
      return order < 0 || (order === 0 && text < held.text);
    };
    if (this.#min === null || before(this.#min, 1)) this.#min = { value, text };
    if (this.#max === null || before(this.#max, -1)) this.#max = { value, text };
  }

  get texts(): [string, string] | null {
    return this.#min === null || this.#max === null ? null : [this.#min.text, this.#max.text];
  }
}

const byText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);

/** A number with its place beyond the finite ones. */
interface Ranked {
  side: -1 | 0 | 1;
  number: Decimal;
}

const ZERO: Decimal = { digits: 0n, exponent: 0 };

function compareRanked(a: Ranked, b: Ranked): number {
  return a.side - b.side || compareDecimals(a.number, b.number);
}

export function sumCells(rows: readonly Row[], columns: readonly SummedColumn[]): CellSums {
  const total = new ExactSum();
  const numbers = new Ends(compareRanked);
  const dates = new Ends(byText);
  const texts = new Ends(byText);
  const seen = { filled: 0, numbers: 0, notNumbers: 0, up: false, down: false };
  for (const { column, place } of columns) {
    const isNumeric = hasNumbers(column);
    const isDate = column?.types.includes("date") === true;
    for (const row of rows) {
      const cell = row[place];
      if (cell === null || cell === undefined) continue;
      seen.filled += 1;
      const numeral = isNumeric ? parseNumeral(cell) : null;
      if (numeral === null) {
        (isDate ? dates : texts).add(cell, cell);
        continue;
      }
      seen.numbers += 1;
      if (numeral.kind === "nan") seen.notNumbers += 1;
      else if (numeral.kind === "infinite") {
        seen[numeral.negative ? "down" : "up"] = true;
        numbers.add({ side: numeral.negative ? -1 : 1, number: ZERO }, cell);
      } else {
        total.add(numeral);
        numbers.add({ side: 0, number: numeral }, cell);
      }
    }
  }
  const onlyNaN = seen.notNumbers > 0 ? (["NaN", "NaN"] as const) : null;
  const [min, max] = numbers.texts ?? onlyNaN ?? dates.texts ?? texts.texts ?? [null, null];
  const special =
    seen.notNumbers > 0 || (seen.up && seen.down)
      ? "NaN"
      : seen.up
        ? "Infinity"
        : seen.down
          ? "-Infinity"
          : null;
  const figure = (of: (sum: Decimal) => Decimal) =>
    seen.numbers === 0 ? null : (special ?? decimalText(of(total.total())));
  return {
    cells: rows.length * columns.length,
    filled: seen.filled,
    numbers: seen.numbers,
    sum: figure((sum) => sum),
    average: figure((sum) => averageOf(sum, seen.numbers)),
    min,
    max,
  };
}

/** "12 cells, 10 filled, 8 numbers": what was counted, without what goes without saying. */
export function countedText({ cells, filled, numbers }: CellSums): string {
  const parts = [plural(cells, "cell")];
  if (filled !== cells) parts.push(`${count(filled)} filled`);
  if (numbers > 0 && numbers !== filled) parts.push(plural(numbers, "number"));
  return parts.join(", ");
}

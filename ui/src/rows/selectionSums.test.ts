import { describe, expect, it } from "vitest";

import type { ColumnView } from "../backend";
import { countedText, hasNumbers, sumCells } from "./selectionSums";

const column = (types: string[], numeric = false): ColumnView => ({ path: "a", label: null, types, numeric });
const decimals = { column: column(["decimal128"], true), place: 0 };
const sums = (...cells: (string | null)[]) =>
  sumCells(
    cells.map((cell) => [cell]),
    [decimals],
  );

describe("the selected cells", () => {
  it("are added digit for digit", () => {
    expect(sums("9007199254740993", "0.000000000000000001", null)).toEqual({
      cells: 3,
      filled: 2,
      numbers: 2,
      sum: "9007199254740993.000000000000000001",
      average: "4503599627370496.5",
      min: "0.000000000000000001",
      max: "9007199254740993",
    });
  });

  it("are compared by value, and of equal ones the text that comes first is named", () => {
    const { min, max } = sums("10", "9", "1E+1", "-0", "0.0");
    expect([min, max]).toEqual(["-0", "10"]);
    expect(sums("1.50", "1.5")).toMatchObject({ min: "1.5", max: "1.5", sum: "3.00" });
  });

  it("are not a number or infinite if one of them is", () => {
    expect(sums("NaN", "1")).toMatchObject({ sum: "NaN", average: "NaN", min: "1", max: "1" });
    expect(sums("NaN")).toMatchObject({ numbers: 1, sum: "NaN", min: "NaN" });
    expect(sums("Infinity", "1")).toMatchObject({ sum: "Infinity", min: "1", max: "Infinity" });
    expect(sums("Infinity", "-Infinity").sum).toBe("NaN");
  });

  it("count as numbers only where every value is one", () => {
    const texts = { column: column(["string"]), place: 1 };
    const rows = [
      ["1", "007"],
      ["2", "b"],
    ];
    expect(sumCells(rows, [decimals, texts])).toMatchObject({ cells: 4, filled: 4, numbers: 2, sum: "3" });
    expect(sumCells(rows, [texts])).toMatchObject({ numbers: 0, sum: null, min: "007", max: "b" });
    expect(hasNumbers(column(["int64", "string"]))).toBe(false);
    expect(hasNumbers(column(["int64", "null"]))).toBe(true);
    expect(hasNumbers(column(["null"]))).toBe(false);
  });

  it("have a first and a last time", () => {
    const dates = { column: column(["date"]), place: 0 };
    const times = ["2025-02-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z"];
    expect(
      sumCells(
        times.map((time) => [time]),
        [dates],
      ),
    ).toMatchObject({ min: times[1], max: times[0] });
  });

  it("are counted in words", () => {
    expect(countedText(sums("1", "2"))).toBe("2 cells");
    expect(countedText(sums("1", null))).toBe("2 cells, 1 filled");
  });
});

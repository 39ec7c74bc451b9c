import { describe, expect, it } from "vitest";

import {
  averageOf,
  compareDecimals,
  type Decimal,
  decimalText,
  ExactSum,
  parseNumeral,
  rounded,
} from "./decimal";

function read(text: string): Decimal {
  const numeral = parseNumeral(text);
  if (numeral?.kind !== "finite") throw new Error(text);
  return numeral;
}

function sum(...texts: string[]): string {
  const all = new ExactSum();
  for (const text of texts) all.add(read(text));
  return decimalText(all.total());
}

describe("numbers of cells", () => {
  it.each([
    ["0.1", "0.1"],
    ["-0", "0"],
    ["-0.0", "0.0"],
    ["1E+3", "1000"],
    ["1.50E-3", "0.00150"],
    ["1e+300", "1e+300"],
    ["-2.5E-6000", "-2.5e-6000"],
    [".5", "0.5"],
    ["9223372036854775807", "9223372036854775807"],
    ["-1234567890.123456789012345678901234", "-1234567890.123456789012345678901234"],
  ])("%s is read as %s", (text, plain) => expect(decimalText(read(text))).toBe(plain));

  it.each(["", ".", "e5", "1,5", "0x10", " 1", "1 ", "12a", "1e999999", "true"])("%j is no number", (text) =>
    expect(parseNumeral(text)).toBeNull(),
  );

  it("tells what is not finite apart", () => {
    expect(parseNumeral("NaN")).toEqual({ kind: "nan" });
    expect(parseNumeral("-Infinity")).toEqual({ kind: "infinite", negative: true });
  });
});

describe("sums", () => {
  it("lose no digit, as those of the engine", () => {
    expect(sum("1.50", "1.5")).toBe("3.00");
    expect(sum("0.1", "0.2")).toBe("0.3");
    expect(sum("9007199254740993", "1")).toBe("9007199254740994");
    expect(sum("9223372036854775807", "9223372036854775807")).toBe("18446744073709551614");
    expect(sum("9999999999999999999999999999999999", "1E-6")).toBe(
      "9999999999999999999999999999999999.000001",
    );
    expect(sum("1E+30", "1E-30", "-1E+30")).toBe("0.000000000000000000000000000001");
    expect(sum("1E+6000", "1E+6000")).toBe("2e+6000");
    expect(sum("5", "-5")).toBe("0");
  });

  it("have averages of 34 digits that go to the even digit", () => {
    const average = (text: string, by: number) => decimalText(averageOf(read(text), by));
    expect(average("10", 4)).toBe("2.5");
    expect(average("1", 3)).toBe(`0.${"3".repeat(34)}`);
    expect(average("-2", 3)).toBe(`-0.${"6".repeat(33)}7`);
    expect(average("0.0", 3)).toBe("0");
    expect(average("10000000000000000000000000000000005", 10)).toBe("1000000000000000000000000000000000");
    expect(average("10000000000000000000000000000000015", 10)).toBe("1000000000000000000000000000000002");
    // A little more than a half.
    expect(average("10000000000000000000000000000000005.1", 10)).toBe("1000000000000000000000000000000001");
  });
});

it("compares by value", () => {
  const ordered = ["-1E+10", "-2", "-1.50", "-0", "1E-10", "1.5", "2", "1E+2"].map(read);
  for (const [at, number] of ordered.entries()) {
    for (const [other, against] of ordered.entries()) {
      expect(Math.sign(compareDecimals(number, against))).toBe(Math.sign(at - other));
    }
  }
  expect(compareDecimals(read("1.50"), read("1.5"))).toBe(0);
});

it.each([
  ["1.005", 2, "1.01"],
  ["-1.005", 2, "-1.01"],
  ["2.5", 0, "3"],
  ["0.4999", 0, "0"],
  ["1E+3", 1, "1000.0"],
  ["9.99", 1, "10.0"],
  ["0.00000001", 2, "0.00"],
])("rounds %s to %i decimals", (text, decimals, expected) =>
  expect(decimalText(rounded(read(text), decimals))).toBe(expected),
);

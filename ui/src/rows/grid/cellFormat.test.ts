import { describe, expect, it } from "vitest";

import type { ColumnView } from "../../backend";
import {
  AS_STORED,
  cellText,
  formatNumber,
  formatTime,
  NO_FORMATS,
  type NumberFormat,
  numberFormat,
  timeFormat,
  withFormat,
  zoneMark,
  shortAverage,
} from "./cellFormat";

const format = (part: Partial<NumberFormat>): NumberFormat => ({ ...AS_STORED, ...part });
const zones = { days: "Europe/London", local: "America/New_York" };

describe("numbers", () => {
  it.each(["-0", "1E+3", "NaN", "0.10", "1e+300", "-Infinity", "2.0"])("%s stays as it is stored", (text) =>
    expect(formatNumber(text, AS_STORED)).toBe(text),
  );

  it.each<[string, Partial<NumberFormat>, string]>([
    ["1234567", { separator: "comma" }, "1,234,567"],
    ["123", { separator: "comma" }, "123"],
    ["-1234.5678", { separator: "comma" }, "-1,234.5678"],
    ["1234.5", { separator: "point" }, "1.234,5"],
    ["1234.5", { separator: "space" }, "1\u202f234.5"],
    ["1234.5", { separator: "apostrophe" }, "1’234.5"],
    ["9223372036854775807", { separator: "comma" }, "9,223,372,036,854,775,807"],
    [
      "1234567890123456789012345678.901234",
      { separator: "comma", decimals: 6 },
      "1,234,567,890,123,456,789,012,345,678.901234",
    ],
    ["1234567890123456789012345678.905", { decimals: 2 }, "1234567890123456789012345678.91"],
    ["1.50E+3", { separator: "comma", decimals: 2 }, "1,500.00"],
    ["1.5E-7", { decimals: 3 }, "0.000"],
    ["1.5E-7", { sign: "always" }, "+0.00000015"],
    ["1E+6000", { separator: "comma", decimals: 2 }, "1E+6000"],
    ["1e+300", { decimals: 0 }, "1e+300"],
    ["-0.0", { decimals: 2 }, "-0.00"],
    ["0.0", { decimals: 2, sign: "always" }, "0.00"],
    ["-0.001", { decimals: 2 }, "-0.00"],
    ["-1234.5", { separator: "comma", sign: "brackets" }, "(1,234.5)"],
    ["12", { sign: "always" }, "+12"],
    ["NaN", { separator: "comma", decimals: 2, sign: "always" }, "NaN"],
    ["-Infinity", { sign: "brackets" }, "-Infinity"],
    ["12 lots", { decimals: 2 }, "12 lots"],
    ["", { decimals: 2 }, ""],
  ])("%s in %j is %s", (text, part, expected) => expect(formatNumber(text, format(part))).toBe(expected));
});

describe("times", () => {
  it.each([
    ["2025-07-03T09:30:00.123Z", "Europe/London", "2025-07-03 10:30:00.123"],
    ["2025-01-03T09:30:00.123Z", "Europe/London", "2025-01-03 09:30:00.123"],
    ["2025-07-03T23:30:00.000Z", "Asia/Kolkata", "2025-07-04 05:00:00.000"],
    ["2025-07-03T09:30:00Z", "UTC", "2025-07-03 09:30:00"],
    ["2024-12-31T23:59:59.999Z", "UTC", "2024-12-31 23:59:59.999"],
    // The hour in spring that does not exist, and the one in autumn that comes twice.
    ["2025-03-30T00:59:59.999Z", "Europe/London", "2025-03-30 00:59:59.999"],
    ["2025-03-30T01:00:00.000Z", "Europe/London", "2025-03-30 02:00:00.000"],
    ["2025-10-25T23:59:59.000Z", "Europe/London", "2025-10-26 00:59:59.000"],
    ["2025-10-26T00:30:00.000Z", "Europe/London", "2025-10-26 01:30:00.000 +01:00"],
    ["2025-10-26T01:30:00.000Z", "Europe/London", "2025-10-26 01:30:00.000 +00:00"],
    ["2025-10-26T02:00:00.000Z", "Europe/London", "2025-10-26 02:00:00.000"],
    ["2025-11-02T05:30:00.000Z", "America/New_York", "2025-11-02 01:30:00.000 -04:00"],
    ["2025-04-05T14:45:00.000Z", "Australia/Lord_Howe", "2025-04-06 01:45:00.000 +11:00"],
    ["1969-12-31T23:59:59.999Z", "UTC", "1969-12-31 23:59:59.999"],
    ["1969-12-31T23:59:59.999Z", "Europe/Berlin", "1970-01-01 00:59:59.999"],
    ["soon", "Europe/London", "soon"],
    ["2025-07-03T09:30:00Z", "Nowhere/Atall", "2025-07-03T09:30:00Z"],
  ])("%s in %s are %s", (text, zone, expected) => expect(formatTime(text, zone)).toBe(expected));

  const column: ColumnView = { path: "at", label: null, types: ["date", "string"], numeric: false };

  it("state their zone in the heading", () => {
    expect(zoneMark(column, NO_FORMATS, zones)).toBe(" (UTC)");
    expect(zoneMark(column, withFormat(NO_FORMATS, "at", { time: "days" }), zones)).toBe(" (Europe/London)");
    expect(zoneMark({ ...column, types: ["string"] }, NO_FORMATS, zones)).toBe("");
  });

  it("are formatted in columns of times, and numbers in columns of numbers", () => {
    const formats = withFormat(withFormat(NO_FORMATS, null, { time: "local" }), null, {
      number: format({ decimals: 1 }),
    });
    expect(cellText("2025-07-03T09:30:00Z", column, formats, zones)).toBe("2025-07-03 05:30:00");
    expect(cellText("1.25", column, formats, zones)).toBe("1.25");
    expect(cellText("1.25", { ...column, types: ["double"], numeric: true }, formats, zones)).toBe("1.3");
    expect(cellText("2025-07-03T09:30:00Z", column, NO_FORMATS, zones)).toBe("2025-07-03T09:30:00Z");
  });
});

it("takes the format of a column before that of all, until one for all is chosen", () => {
  const two = format({ decimals: 2 });
  const one = withFormat(NO_FORMATS, "price", { number: two, time: "utc" });
  expect(numberFormat(one, "price")).toBe(two);
  expect(numberFormat(one, "quantity")).toBe(AS_STORED);
  const all = withFormat(one, null, { number: AS_STORED });
  expect(numberFormat(all, "price")).toBe(AS_STORED);
  expect(timeFormat(all, "price")).toBe("utc");
});

it.each([
  ["31.67565882352941176470588235294118", "31.67565882"],
  ["-0.66666666666666666666666666666666667", "-0.66666667"],
  ["12.5", "12.5"],
  ["0.00000000012345678", "0.00000000012345678"],
  ["NaN", "NaN"],
])("shows the average %s as %s", (text, shown) => expect(shortAverage(text)).toBe(shown));

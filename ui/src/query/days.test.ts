import { describe, expect, it } from "vitest";

import { addDays, dayCount } from "../backend/days";
import { completesSegment, isDay, joinDays, pastedRange, rangeProblem, weekday } from "./days";

describe("days", () => {
  it("knows which days exist", () => {
    expect(isDay("2024-02-29")).toBe(true);
    expect(isDay("2025-02-29")).toBe(false);
    expect(isDay("2025-1-1")).toBe(false);
  });

  it("counts over summer time and New Year", () => {
    expect(addDays("2025-03-30", 1)).toBe("2025-03-31");
    expect(addDays("2025-12-31", 1)).toBe("2026-01-01");
    expect(dayCount("2025-01-01", "2025-12-31")).toBe(365);
    expect(dayCount("2025-01-02", "2025-01-01")).toBe(0);
    expect(weekday("2026-11-22")).toBe("Sunday");
  });

  it("joins neighbours when it lists days", () => {
    expect(joinDays(["2025-01-09", "2025-01-03", "2025-01-04", "2025-01-05"])).toBe(
      "2025-01-03 to 2025-01-05, 2025-01-09",
    );
    expect(joinDays([])).toBe("");
  });

  it("names what is plainly wrong with a range", () => {
    expect(rangeProblem("2025-01-01", "2025-01-01")).toBeNull();
    expect(rangeProblem("", "2025-01-01")).toContain("Choose");
    expect(rangeProblem("2025-02-30", "2025-03-01")).toContain("does not exist");
    expect(rangeProblem("0202-01-01", "2025-01-01")).toContain("year");
    expect(rangeProblem("2025-01-02", "2025-01-01")).toContain("ends before");
  });
});

it("reads a pasted range of one or two days that exist", () => {
  expect(pastedRange("from 2025-01-31 to 2025-01-02.")).toEqual({ from: "2025-01-02", to: "2025-01-31" });
  expect(pastedRange("2025-01-31T10:00:00Z")).toEqual({ from: "2025-01-31", to: "2025-01-31" });
  expect(pastedRange("2025-02-30")).toBeNull();
  expect(pastedRange("Brent")).toBeNull();
});

it("knows when a day is typed to its end", () => {
  expect(["", "0", "3", "4", "09", "00"].map((digits) => completesSegment(digits, 31))).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});

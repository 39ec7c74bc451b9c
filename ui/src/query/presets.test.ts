import { expect, it } from "vitest";

import { PRESETS, presetsOf } from "./presets";

const range = (id: string, today: string) => PRESETS.find((preset) => preset.id === id)?.range(today);

it("takes a week from Monday on, also on a Sunday", () => {
  expect(range("week", "2026-11-22")).toEqual({ from: "2026-11-16", to: "2026-11-22" });
  expect(range("week", "2026-11-16")).toEqual({ from: "2026-11-16", to: "2026-11-16" });
});

it("takes five business days back over a weekend", () => {
  expect(range("business-5", "2026-11-24")).toEqual({ from: "2026-11-18", to: "2026-11-24" });
  expect(range("business-5", "2026-11-22")).toEqual({ from: "2026-11-16", to: "2026-11-20" });
});

it("takes the month to date, yesterday over New Year, and seven days", () => {
  expect(range("month", "2026-03-31")).toEqual({ from: "2026-03-01", to: "2026-03-31" });
  expect(range("yesterday", "2026-01-01")).toEqual({ from: "2025-12-31", to: "2025-12-31" });
  expect(range("last-7-days", "2026-03-03")).toEqual({ from: "2026-02-25", to: "2026-03-03" });
});

it("recognises every preset of a range", () => {
  expect(presetsOf("2026-11-20", "2026-11-01", "2026-11-20")).toEqual(["month"]);
  expect(presetsOf("2026-11-20", "2026-11-02", "2026-11-20")).toEqual([]);
  expect(presetsOf("2026-11-22", "2026-11-16", "2026-11-22")).toEqual(["week", "last-7-days"]);
  expect(presetsOf("2026-11-16", "2026-11-16", "2026-11-16")).toEqual(["today", "week"]);
});

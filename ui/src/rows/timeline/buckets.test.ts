import { describe, expect, it } from "vitest";

import type { DayView } from "../../backend";
import { addDays, dayCount, weekName } from "../../backend/days";
import {
  axisLabels,
  bucketKind,
  bucketName,
  bucketsOf,
  bucketText,
  chosenBars,
  groupName,
  knownKind,
  LEAST_WIDTH,
  oldestFetch,
  stateText,
  sumOf,
  unitFor,
} from "./buckets";

const view = (part: Partial<DayView> = {}): DayView => ({
  day: "2025-01-31",
  state: "settled",
  action: "serve",
  why: null,
  input_rows: 5,
  downstream_rows: 15,
  fetched: "2025-02-02T09:00:00Z",
  ...part,
});

const range = (from: string, to: string, part: Partial<DayView> = {}) =>
  Array.from({ length: dayCount(from, to) }, (_, at) => view({ day: addDays(from, at), ...part }));

const spans = (from: string, to: string, unit: Parameters<typeof bucketsOf>[1]) =>
  bucketsOf(range(from, to), unit).map((bucket) => [bucket.from, bucket.to, bucket.days.length]);

describe("bars of days", () => {
  it("are weeks from Monday to Sunday, of which the ends may be parts", () => {
    expect(spans("2025-01-01", "2025-01-15", "week")).toEqual([
      ["2025-01-01", "2025-01-05", 5],
      ["2025-01-06", "2025-01-12", 7],
      ["2025-01-13", "2025-01-15", 3],
    ]);
  });

  it("are months with the leap day", () => {
    expect(spans("2024-01-31", "2024-03-01", "month")).toEqual([
      ["2024-01-31", "2024-01-31", 1],
      ["2024-02-01", "2024-02-29", 29],
      ["2024-03-01", "2024-03-01", 1],
    ]);
    expect(spans("2023-12-30", "2025-01-01", "year").map(([, , days]) => days)).toEqual([2, 366, 1]);
  });

  it.each([
    ["of 23 hours", "2025-03-24", "2025-03-30"],
    ["of 25 hours", "2025-10-20", "2025-10-26"],
  ])("count a day %s as one", (_name, from, to) => {
    expect(spans(from, to, "week")).toEqual([[from, to, 7]]);
    expect(spans(from, to, "day")).toHaveLength(7);
    expect(bucketsOf(range(addDays(to, -1), addDays(to, 1)), "day").map((bucket) => bucket.from)).toEqual([
      addDays(to, -1),
      to,
      addDays(to, 1),
    ]);
  });

  it("lose no day and have none twice", () => {
    for (const unit of ["day", "week", "month", "year"] as const) {
      const days = range("2019-12-25", "2024-03-05");
      expect(bucketsOf(days, unit).flatMap((bucket) => bucket.days)).toEqual(days);
    }
  });

  it("become longer where a bar would be too thin", () => {
    const year = range("2024-01-01", "2024-12-31");
    expect(unitFor(year, 366 * LEAST_WIDTH)).toBe("day");
    expect(unitFor(year, 366 * LEAST_WIDTH - 1)).toBe("week");
    expect(unitFor(year, 53 * LEAST_WIDTH - 1)).toBe("month");
    expect(unitFor(range("1990-01-01", "2024-12-31"), 600)).toBe("year");
    expect(unitFor(year, 0)).toBe("day");
  });
});

it("calls bars what the engine calls the times of groups", () => {
  const names = (from: string, to: string, unit: Parameters<typeof bucketsOf>[1]) =>
    bucketsOf(range(from, to), unit).map((bucket) => groupName(bucket, unit));
  expect(names("2024-12-29", "2025-01-06", "week")).toEqual(["2024-W52", "2025-W01", "2025-W02"]);
  expect(names("2024-12-31", "2025-01-01", "month")).toEqual(["2024-12", "2025-01"]);
  expect(names("2024-12-31", "2025-01-01", "year")).toEqual(["2024", "2025"]);
  // A part of a week belongs to its week.
  expect(groupName({ from: "2025-01-04", to: "2025-01-05" }, "week")).toBe("2025-W01");
  expect(["2020-12-31", "2021-01-03", "2021-01-04", "2026-12-31"].map(weekName)).toEqual([
    "2020-W53",
    "2020-W53",
    "2021-W01",
    "2026-W53",
  ]);
});

it("names whole months and years by their name, and parts by their days", () => {
  const [january, february] = bucketsOf(range("2024-01-30", "2024-02-29"), "month");
  expect(january && bucketName(january, "month")).toBe("Jan 2024, 2024-01-30 to 2024-01-31");
  expect(february && bucketName(february, "month")).toBe("Feb 2024");
  const [year] = bucketsOf(range("2024-01-01", "2024-12-31"), "year");
  expect(year && bucketName(year, "year")).toBe("2024");
  const [week] = bucketsOf(range("2025-02-24", "2025-03-02"), "week");
  expect(week && bucketName(week, "week")).toBe("Week 09, 2025-02-24 to 2025-03-02");
});

describe("a bar of several days", () => {
  const days = [
    view({ day: "2025-01-06", fetched: "2025-01-09T09:00:00Z" }),
    view({ day: "2025-01-07", input_rows: 0, downstream_rows: 0, fetched: "2025-01-08T09:00:00Z" }),
    view({
      day: "2025-01-08",
      state: "not_held",
      action: "fetch",
      input_rows: null,
      downstream_rows: null,
      fetched: null,
    }),
  ];
  const [week] = bucketsOf(days, "week");
  if (week === undefined) throw new Error("There is no bar.");

  it("shows what there is most to know of, and adds up what is known", () => {
    expect([bucketKind(week), knownKind(week)]).toEqual(["fetch", "cached"]);
    expect([sumOf(week, "input_rows"), sumOf(week, "downstream_rows")]).toEqual([5, 15]);
    expect(oldestFetch(week)).toBe("2025-01-08T09:00:00Z");
    expect(stateText(week)).toBe("1 to fetch, 1 cached, 1 no trades");
    expect(bucketText(week, "week", () => "then")).toBe(
      "Week 02, 2025-01-06 to 2025-01-08 · 1 to fetch, 1 cached, 1 no trades · 5 trades · 15 messages · oldest fetch then",
    );
  });

  it("does not take what is not known for nothing", () => {
    const [unknown] = bucketsOf(days.slice(2), "week");
    expect(unknown && [sumOf(unknown, "input_rows"), knownKind(unknown), oldestFetch(unknown)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

it("puts names where they have room, years before months before days", () => {
  const days = bucketsOf(range("2024-12-30", "2025-01-12"), "day");
  const numbers = ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
  expect(axisLabels(days, "day", 700).map(({ text }) => text)).toEqual(["Dec 2024", "Jan 2025", ...numbers]);
  expect(axisLabels(days, "day", 180).map(({ text }) => text)).toEqual(["Dec 2024", "6"]);
  expect(axisLabels(days, "day", 80).map(({ text }) => text)).toEqual(["Dec 2024"]);
  const labels = axisLabels(bucketsOf(range("2020-01-01", "2024-12-31"), "month"), "month", 900);
  expect(labels.filter(({ isMain }) => isMain).map(({ text }) => text)).toEqual([
    "2020",
    "2021",
    "2022",
    "2023",
    "2024",
  ]);
});

it("lets no two names overlap", () => {
  for (const width of [120, 333, 800, 1400]) {
    for (const unit of ["day", "week", "month"] as const) {
      const buckets = bucketsOf(range("2024-01-17", "2024-12-09"), unit);
      const place = width / buckets.length;
      axisLabels(buckets, unit, width).reduce((end, { at, text }) => {
        expect(at * place).toBeGreaterThanOrEqual(end);
        return at * place + text.length * 6;
      }, 0);
    }
  }
});

it("knows the bars that lie in chosen days as a whole", () => {
  const weeks = bucketsOf(range("2025-01-01", "2025-01-31"), "week");
  expect(chosenBars(weeks, [{ from: "2025-01-06", to: "2025-01-19" }])).toEqual([1, 2]);
  expect(chosenBars(weeks, [{ from: "2025-01-07", to: "2025-01-19" }])).toEqual([2]);
});

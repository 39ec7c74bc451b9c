import { expect, it } from "vitest";

import type { DayView, Group } from "../../backend";
import { stacked, totals } from "../../controls/chart/layers";
import { MAX_VALUES } from "../../controls/chart/look";
import { bucketsOf } from "./buckets";
import { feetOf, KIND_LOOKS, slotsOf, stackColumns, stateLayers, valueParts } from "./stack";

const view = (day: string, rows: number | null, part: Partial<DayView> = {}): DayView => ({
  day,
  state: rows === null ? "not_held" : "settled",
  action: rows === null ? "fetch" : "serve",
  why: null,
  input_rows: rows,
  downstream_rows: rows,
  fetched: null,
  ...part,
});

const DAYS = [
  view("2025-01-06", 10),
  view("2025-01-07", 0),
  view("2025-01-08", 30, { state: "open" }),
  view("2025-01-09", null),
];
const BARS = bucketsOf(DAYS, "day");

const group = (rows: number, ...texts: (string | null)[]): Group => ({
  keys: texts.map((text) => ({ text, condition: { kind: "values", values: [text ?? ""], empty: false } })),
  rows,
  figures: [],
});

it("gives each bar the look of its state, and what is not known a place of its own", () => {
  const layers = stateLayers(BARS);
  expect(totals(layers, 4)).toEqual([10, 0, 30, 0]);
  expect(layers.find(({ look }) => look === KIND_LOOKS.open)?.rows).toEqual([0, 0, 30, 0]);
  expect(slotsOf(BARS)).toEqual([null, null, null, { look: KIND_LOOKS.fetch, share: 1 }]);
  expect(feetOf(BARS)).toEqual([KIND_LOOKS.cached, KIND_LOOKS.empty, KIND_LOOKS.open, KIND_LOOKS.fetch]);
});

it("shows the unknown days of a week as their share", () => {
  const week = bucketsOf(DAYS, "week");
  expect(slotsOf(week)).toEqual([{ look: KIND_LOOKS.fetch, share: 0.25 }]);
  expect(totals(stateLayers(week), 1)).toEqual([40]);
});

it("tells every state by its pattern and outline, and not by its colour alone", () => {
  const looks = Object.values(KIND_LOOKS).map(({ pattern, edge, dashed, colour }) =>
    JSON.stringify([pattern, edge !== undefined, dashed === true, colour === "surface"]),
  );
  expect(new Set(looks).size).toBe(looks.length);
});

it("stacks the values of a column, the most frequent first, and adds up to what is known", () => {
  const groups = [
    group(4, "2025-01-06", "Brent"),
    group(6, "2025-01-06", "WTI"),
    group(20, "2025-01-08", "WTI"),
    group(7, "2025-01-08", null),
  ];
  const parts = valueParts(BARS, "day", { groups }, true, "the rest");
  expect(parts.map(({ name, rows, total }) => [name, rows, total])).toEqual([
    ["WTI", [6, 0, 20, 0], 26],
    ["empty", [0, 0, 7, 0], 7],
    ["Brent", [4, 0, 0, 0], 4],
    ["the rest", [0, 0, 3, 0], 3],
  ]);
  expect(totals(parts, 4)).toEqual([10, 0, 30, 0]);
  expect(stacked(parts, 4).at(-1)?.to[2]).toBeCloseTo(1);
});

it("puts the values beyond the colours together", () => {
  const groups = Array.from({ length: 12 }, (_, at) => group(12 - at, "2025-01-08", `v${at}`));
  const parts = valueParts(BARS, "day", { groups }, true, "the rest");
  expect(parts.filter(({ colour }) => colour > 0)).toHaveLength(MAX_VALUES - 1);
  expect(parts.find(({ name }) => name === "5 further values")?.total).toBe(5 + 4 + 3 + 2 + 1);
});

it("counts groups of weeks by the name of the week, and leaves out times of other bars", () => {
  const week = bucketsOf(DAYS, "week");
  const groups = [group(9, "2025-W02", "Brent"), group(8, "2025-W03", "Brent")];
  const [brent] = valueParts(week, "week", { groups }, true, "the rest");
  expect(brent?.rows).toEqual([9]);
});

it("shows what the filters of the rows leave before the rest", () => {
  const parts = valueParts(BARS, "day", { groups: [group(3, "2025-01-06")] }, false, "Left out by filters");
  expect(parts.map(({ name, total }) => [name, total])).toEqual([
    ["In the filters", 3],
    ["Left out by filters", 37],
  ]);
});

it("offers columns whose values may repeat, in the order in which they are read", () => {
  const column = (path: string, ...types: string[]) => ({ path, label: null, types, numeric: false });
  const columns = [
    column("_id", "string"),
    column("at", "date"),
    column("price", "decimal128"),
    column("product", "string", "null"),
    column("version", "int32"),
  ];
  expect(stackColumns(columns, [4, 3, 2, 1, 0], "at").map(({ path }) => path)).toEqual([
    "version",
    "product",
  ]);
});

import { expect, it } from "vitest";

import type { FilterField, ValueType } from "../backend";
import { cellChange, withMatch } from "./fromCell";

const field = (name: string, value_type: ValueType, path = name): FilterField => ({
  name,
  path,
  label: null,
  value_type,
});
const FIELDS = [
  field("product", "text", "instrument.name"),
  field("lots", "integer"),
  field("price", "decimal"),
  field("rate", "number"),
  field("booked", "date"),
  field("tags", "text"),
];
const DOCUMENT = JSON.stringify({
  _id: { $oid: "65a1b2c3d4e5f60718293a4b" },
  instrument: { name: "Brent", size: { $numberInt: "5" } },
  lots: { $numberLong: "9007199254740993" },
  price: { $numberDecimal: "75.10" },
  rate: { $numberDouble: "0.1" },
  booked: { $date: { $numberLong: "1738315800123" } },
  tags: ["a", "b", "a"],
  legs: [{ at: "x" }],
  note: null,
});

const change = (path: string, text: string | null, part: { day?: string; canonical?: string } = {}) =>
  cellChange({ path, text, canonical: DOCUMENT, day: null, fields: FIELDS, ...part });
const filter = (name: string, values: string[], operator = "any_of") => ({
  kind: "filter",
  filter: { field: name, operator, values },
});

it("fills in the filter of the column, typed as the mapping has it", () => {
  expect(change("instrument.name", "Brent")).toEqual(filter("product", ["Brent"]));
  expect(change("lots", "9007199254740993")).toEqual(filter("lots", ["9007199254740993"]));
  expect(change("price", "75.10")).toEqual(filter("price", ["75.10"]));
  expect(change("rate", "0.1")).toEqual(filter("rate", ["0.1"]));
  expect(change("booked", "2025-01-31T09:30:00.123Z")).toEqual(
    filter("booked", ["2025-01-31T09:30:00.123Z"]),
  );
});

it("takes every value of a list, which a document has to have all of", () => {
  expect(change("tags", '["a","b","a"]')).toEqual(filter("tags", ["a", "b"], "all_of"));
  expect(change("legs", '[{"at":"x"}]').kind).toBe("none");
});

it("goes by the day of a row in the column that decides it", () => {
  expect(change("traded", "2025-01-31T23:30:00Z", { day: "2025-02-01" })).toEqual({
    kind: "days",
    day: "2025-02-01",
  });
});

it("matches other fields by their value as the document has it", () => {
  expect(change("_id", "65a1b2c3d4e5f60718293a4b")).toEqual({
    kind: "match",
    path: "_id",
    value: { $oid: "65a1b2c3d4e5f60718293a4b" },
  });
  expect(change("instrument.size", "5")).toEqual({
    kind: "match",
    path: "instrument.size",
    value: { $numberInt: "5" },
  });
});

it("matches a value that the filter of its column would not find", () => {
  // A decimal filter asks for 0.1 as a decimal, which this is not; a text filter never finds a number.
  const at = (canonical: object, text: string, path = "price") =>
    change(path, text, { canonical: JSON.stringify(canonical) });
  expect(at({ price: { $numberDouble: "0.1" } }, "0.1")).toMatchObject({ value: { $numberDouble: "0.1" } });
  expect(at({ tags: { $numberInt: "7" } }, "7", "tags")).toMatchObject({ value: { $numberInt: "7" } });
  expect(at({ tags: " a" }, " a", "tags")).toEqual({ kind: "match", path: "tags", value: " a" });
  expect(at({ rate: { $numberDouble: "NaN" } }, "NaN", "rate").kind).toBe("match");
});

it("tells a field that is missing from one that is null", () => {
  expect(change("product", null).kind).toBe("match");
  expect(change("instrument.name", null, { canonical: "{}" })).toEqual(filter("product", [], "missing"));
  expect(change("note", null)).toEqual({ kind: "match", path: "note", value: null });
});

it("refuses what it cannot read back", () => {
  expect(change("legs.at", "x").kind).toBe("none");
  expect(change("a.b", "1", { canonical: '{"a.b": "1"}' }).kind).toBe("none");
  expect(change("instrument", "{}").kind).toBe("none");
});

it("adds to an advanced match without rewriting it", () => {
  const first = withMatch("", "a.b", { $numberLong: "9007199254740993" });
  expect(first).toBe('{"a.b":{"$numberLong":"9007199254740993"}}');
  const typed = "{n: 1} // mine";
  const second = withMatch(typed, "a", "x");
  expect(second).toBe('{"$and": [\n  {n: 1} // mine\n  , {"a":"x"}\n]}');
  const both = withMatch(first, "c", null);
  expect(JSON.parse(withMatch(both, "d", true))).toEqual({
    $and: [{ "a.b": { $numberLong: "9007199254740993" } }, { c: null }, { d: true }],
  });
  const wider = '{"$and": [{"a": 1}], "b": [{"c": 1}]}';
  expect(JSON.parse(withMatch(wider, "d", true))).toEqual({ $and: [JSON.parse(wider), { d: true }] });
});

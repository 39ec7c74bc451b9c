import { expect, it } from "vitest";

import { isOutdated, placeOf, type Taken, typedMapping, withoutOutdated } from "./proposed";

const HERE = { uri: "mongodb://db1", database: "desk", collection: "trades", mapping: "" };
const THERE = { ...HERE, collection: "exec" };
const PROPOSED = {
  version: 2,
  trade_id: "dealNo",
  day_zone: "UTC",
  timestamp: { path: "at", form: "epoch_s" },
  status: "state",
  filters: { product: "produkt", cell: null, receiver: { path: "to", label: "To" } },
};

function taken(typed = ""): Taken {
  return { mapping: JSON.stringify(PROPOSED), typed, place: placeOf(HERE) };
}

function typed(mapping: object, before = ""): unknown {
  const text = typedMapping(JSON.stringify(mapping), taken(before));
  return text === "" ? null : JSON.parse(text);
}

it("takes what is as it was proposed for not typed", () => {
  expect(typedMapping("{}", null)).toBe("{}");
  expect(typed(PROPOSED)).toBeNull();
  expect(typedMapping(JSON.stringify(PROPOSED, null, 4), taken())).toBe("");
  expect(typedMapping(JSON.stringify(PROPOSED), taken("mine"))).toBe("mine");
});

it("takes the parts that were changed for typed, with those that had been typed before", () => {
  expect(typed({ ...PROPOSED, trade_id: "id" })).toEqual({ version: 2, trade_id: "id" });
  expect(typed({ ...PROPOSED, trade_id: "id" }, '{"version": 1, "day_zone": "Asia/Tokyo"}')).toEqual({
    version: 2,
    day_zone: "Asia/Tokyo",
    trade_id: "id",
  });
  const form = { path: "at", form: "epoch_ms" };
  expect(typed({ ...PROPOSED, timestamp: form })).toEqual({ version: 2, timestamp: form });
  const filters = { ...PROPOSED.filters, product: "item", book: "book" };
  expect(typed({ ...PROPOSED, filters }, '{"filters": {"cell": "zelle"}}')).toEqual({
    version: 2,
    filters: { cell: "zelle", product: "item", book: "book" },
  });
});

it("keeps it in mind that a part was removed", () => {
  expect(typed({ ...PROPOSED, status: undefined })).toEqual({ version: 2, status: null });
  expect(typed({ ...PROPOSED, day_zone: undefined })).toBeNull();
  expect(typed({ ...PROPOSED, filters: { ...PROPOSED.filters, product: null } })).toEqual({
    version: 2,
    filters: { product: null },
  });
});

it("leaves text that cannot be read as it is", () => {
  expect(typedMapping("{ mine", taken())).toBe("{ mine");
  const mapping = JSON.stringify({ ...PROPOSED, trade_id: "id" });
  expect(typedMapping(mapping, taken("mine"))).toBe(mapping);
  expect(isOutdated({ ...THERE, mapping: "{ mine" }, taken())).toBe(false);
  expect(isOutdated({ ...THERE, mapping: "[]" }, taken())).toBe(false);
});

it("takes nothing along to a different place but what was typed", () => {
  const changed = JSON.stringify({ ...PROPOSED, trade_id: "id" });
  expect(withoutOutdated({ ...HERE, mapping: changed }, taken()).mapping).toBe(changed);
  const there = withoutOutdated({ ...THERE, mapping: changed }, taken());
  expect(JSON.parse(there.mapping)).toEqual({ version: 2, trade_id: "id" });
});

import { expect, it } from "vitest";

import { makeCached, makeQuery } from "../test/made";
import { alike, cachedName, heldRowsText } from "./cachedText";

const values = Array.from({ length: 500 }, (_, at) => `P${String(at).padStart(3, "0")}`);
const many = makeCached({
  filters: `product: ${values.join(", ")}`,
  summary: "product: P000, P001, P002 and 497 more",
});

it("summarises filters of many values", () => {
  expect(cachedName(many)).toBe("product: P000, P001, P002 and 497 more");
  expect(cachedName(makeCached())).toBe("product: Brent");
});

it("bounds what it cannot summarise", () => {
  expect(cachedName({ ...many, form: null }).length).toBeLessThanOrEqual(120);
  const advanced = `{"a": "${"x".repeat(9000)}"}`;
  expect(cachedName({ ...many, form: makeQuery({ advanced }) }).length).toBeLessThanOrEqual(240);
});

it("finds queries that the list shows alike", () => {
  const one = makeCached({ signature: "a".repeat(32) });
  const two = makeCached({ signature: "b".repeat(32) });
  const other = makeCached({ signature: "c".repeat(32), source: "archive.messages at db1" });
  expect([...alike([one, two, other])]).toEqual([one.signature, two.signature]);
  expect(alike([one, other]).size).toBe(0);
});

it("says apart what is held of trades and of messages", () => {
  expect(heldRowsText({ input_rows: 57, downstream_rows: 1730 })).toBe("57 trades, 1,730 messages cached");
  expect(heldRowsText({ input_rows: 1, downstream_rows: 1 })).toBe("1 trade, 1 message cached");
});

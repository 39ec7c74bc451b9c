import { expect, it } from "vitest";

import type { View } from "../run/runState";
import { makePlan } from "../test/fakeBackend";
import { makeAnswer, makeQuery } from "../test/made";
import { otherSourceText } from "./otherSource";

it("names the source of rows that a fetch would not bring", () => {
  const query = makeQuery();
  const view: View = {
    key: { signature: "5".repeat(32), from: query.from, to: query.to },
    query,
    title: "",
    answer: makeAnswer(),
    source: "trading.messages at db1",
    mode: null,
  };
  const form = { plan: makePlan(query), query, stale: false };
  // The signature of the same conditions is more reliable than the description of the source.
  expect(otherSourceText(view, "trading.messages at db1.example", form)).toBeNull();
  const other = { ...form, plan: makePlan(query, { signature: "6".repeat(32) }) };
  expect(otherSourceText(view, "trading.messages at db1", other)).toBe("cached under a different mapping");
  expect(otherSourceText(view, "trading.messages at db2", other)).toBe("cached from trading.messages at db1");
  const unknown = { plan: null, query: null, stale: true };
  expect(otherSourceText(view, "trading.messages at db1", unknown)).toBeNull();
  expect(otherSourceText(view, "", unknown)).toBe("cached from trading.messages at db1");
});

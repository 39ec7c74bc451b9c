import { expect, it } from "vitest";

import type { SourceProfile } from "../backend";
import { makePlan } from "../test/fakeBackend";
import { makeAnswer, makeQuery } from "../test/made";
import { needsPassword } from "./failures";
import { foreignText } from "./foreign";
import type { View } from "./runState";
import { sourceKey, sourceText } from "./sourceText";

const profile = (uri: string): SourceProfile => ({
  uri,
  database: "trading",
  collection: "messages",
  mapping: "",
});

it("reads a source as the backend words it", () => {
  const cases = [
    ["mongodb://db1:27017/?tls=true", "trading.messages at db1"],
    ["mongodb://ann@DB2:27018,db1/admin", "trading.messages at db1, db2:27018 as ann"],
    ["mongodb+srv://p%40t@cluster.example", "trading.messages at cluster.example as p@t"],
    ["mongodb://[::1]:27017", "trading.messages at [::1]"],
  ] as const;
  for (const [uri, text] of cases) expect(sourceText(profile(uri))).toBe(text);
});

it("tells sources and mappings apart", () => {
  const one = profile("mongodb://db1");
  expect(sourceKey({ ...one })).toBe(sourceKey(one));
  expect(sourceKey({ ...one, mapping: "{}" })).not.toBe(sourceKey(one));
  expect(sourceKey(null)).not.toBe(sourceKey(one));
});

it("takes a refused user for a missing password, and nothing else", () => {
  const failure = { code: "auth_failed" as const, message: "", next: "", cause: null };
  const offline = { state: "offline" as const, failure };
  expect(needsPassword(offline, profile("mongodb://ann@db1"))).toBe(true);
  expect(needsPassword(offline, profile("mongodb://db1"))).toBe(false);
  const away = { state: "offline" as const, failure: { ...failure, code: "source_unreachable" as const } };
  expect(needsPassword(away, profile("mongodb://ann@db1"))).toBe(false);
});

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
  // The signature of the same conditions is the better witness than the words.
  expect(foreignText(view, "trading.messages at db1.example", form)).toBeNull();
  const other = { ...form, plan: makePlan(query, { signature: "6".repeat(32) }) };
  expect(foreignText(view, "trading.messages at db1", other)).toBe("cached under a different mapping");
  expect(foreignText(view, "trading.messages at db2", other)).toBe("cached from trading.messages at db1");
  const unknown = { plan: null, query: null, stale: true };
  expect(foreignText(view, "trading.messages at db1", unknown)).toBeNull();
  expect(foreignText(view, "", unknown)).toBe("cached from trading.messages at db1");
});

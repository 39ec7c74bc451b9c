import { expect, it } from "vitest";

import type { SourceProfile } from "../backend";
import { needsPassword, sourceKey, sourceText } from "./sourceText";

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

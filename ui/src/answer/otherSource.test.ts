import { expect, it } from "vitest";

import { makeSource } from "../test/made";
import { otherSourceText } from "./otherSource";

it("names the source of rows that a fetch would not bring", () => {
  const rows = makeSource({ name: "trading.messages at db1", key: "1" });
  expect(otherSourceText(rows, makeSource({ key: "1" }))).toBeNull();
  // The key is more reliable than the name, which may be written in several ways.
  expect(otherSourceText(rows, makeSource({ name: "trading.messages at db1.example", key: "1" }))).toBeNull();
  expect(otherSourceText(rows, { ...rows, key: "2" })).toBe("cached under a different mapping");
  const other = makeSource({ name: "trading.messages at db2", key: "3" });
  expect(otherSourceText(rows, other)).toBe("cached from trading.messages at db1");
  expect(otherSourceText(rows, null)).toBe("cached from trading.messages at db1");
});

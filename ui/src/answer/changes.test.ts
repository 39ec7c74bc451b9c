import { describe, expect, it } from "vitest";

import { makeChange, makeChanges } from "../test/made";
import { byDay, changesText, entryText, listedCounts, listText, ofKind, omittedText, total } from "./changes";

describe("the summary", () => {
  it("counts trades and messages apart", () => {
    const none = { added: 0, changed: 0, gone: 0 };
    expect(changesText(null, true)).toBeNull();
    const same = makeChanges({ input: none, downstream: none, messages: [] });
    expect(changesText(same, true)).toBe("Nothing changed at the source");
    expect(changesText(same, false)).toBe("Nothing changed on the days that were compared");
    const input = { added: 3, changed: 1, gone: 2 };
    const downstream = { ...none, added: 5 };
    expect(changesText(makeChanges({ input, downstream }), true)).toBe(
      "3 trades added, 1 changed, 2 removed; 5 messages added",
    );
    expect(changesText(makeChanges({ input: none, downstream: { ...none, gone: 1 } }), false)).toBe(
      "1 message removed",
    );
    expect(total(makeChanges({ input, downstream }))).toBe(11);
  });

  it("says how many are not listed", () => {
    expect(omittedText(makeChanges())).toBeNull();
    expect(omittedText(makeChanges({ omitted: 1 }))).toBe("1 more document differs and is not listed here.");
    expect(omittedText(makeChanges({ omitted: 1234 }))).toMatch(/^1,234 more documents differ and are/);
  });
});

describe("the list", () => {
  const messages = [
    makeChange({ day: "2025-01-09", kind: "gone", id: "b" }),
    makeChange({ day: "2025-01-02", kind: "added", id: "a" }),
    makeChange({ day: "2025-01-09", kind: "changed", id: "c" }),
  ];

  it("goes by day and keeps the order within a day", () => {
    expect(byDay(messages).map(({ day, messages: own }) => [day, own.map(({ id }) => id)])).toEqual([
      ["2025-01-02", ["a"]],
      ["2025-01-09", ["b", "c"]],
    ]);
  });

  it("is narrowed to a kind", () => {
    expect(ofKind(messages, "all")).toHaveLength(3);
    expect(ofKind(messages, "gone").map(({ id }) => id)).toEqual(["b"]);
    expect(listedCounts(messages)).toEqual({ all: 3, added: 1, changed: 1, gone: 1 });
  });
});

describe("copied text", () => {
  const changed = makeChange({
    kind: "changed",
    fields: [
      { path: "price.value", before: "50.10", after: "51" },
      { path: "status", before: null, after: '"late"' },
    ],
  });

  it("has an entry's fields on lines of their own", () => {
    expect(entryText(changed)).toBe(
      "2025-01-09  Changed  trade T-1  _id 66f\n" +
        "  price.value: 50.10 -> 51\n" +
        '  status: (no such field) -> "late"',
    );
    expect(entryText(makeChange({ role: "downstream", trade: null, kind: "gone" }))).toBe(
      "2025-01-09  Removed  message without a trade id  _id 66f",
    );
  });

  it("says what it belongs to, what is left out, and to what it was narrowed", () => {
    const changes = makeChanges({ messages: [changed, makeChange({ kind: "gone", id: "x9" })], omitted: 7 });
    const all = listText("product: Brent, 2025-01-09", changes, true, "all");
    expect(all.split("\n")[0]).toBe("product: Brent, 2025-01-09");
    expect(all).toContain("7 more documents");
    expect(all).toContain("_id x9");
    const only = listText("t", changes, true, "changed");
    expect(only).toContain("Only: changed");
    expect(only).not.toContain("x9");
  });
});

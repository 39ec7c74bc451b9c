import { describe, expect, it } from "vitest";

import { inserted, lineOf, offsetOf, remembered, wordAt } from "./sqlText";

describe("the place of a mistake", () => {
  const text = "select a,\n  '€😀' x\nfrom nowhere";

  it("is counted in lines and characters", () => {
    expect(text.slice(offsetOf(text, { line: 1, column: 8 }))).toMatch(/^a,/);
    expect(text.slice(offsetOf(text, { line: 2, column: 8 }))).toMatch(/^x\n/);
    expect(text.slice(offsetOf(text, { line: 3, column: 6 }))).toBe("nowhere");
    expect(offsetOf(text, { line: 9, column: 1 })).toBe(text.length);
  });

  it("is a word, a name in quotes or a sign", () => {
    const word = (text: string, offset: number) => {
      const { from, to } = wordAt(text, offset);
      return text.slice(from, to);
    };
    expect(word(text, text.indexOf("nowhere"))).toBe("nowhere");
    expect(word('a "b c" d', 2)).toBe('"b c"');
    expect(word("a ) b", 2)).toBe(")");
    // At the end, what came last.
    expect(word("select a from ", 14)).toBe("from ");
    expect(wordAt("", 0)).toEqual({ from: 0, to: 0 });
  });
});

describe("a name that is inserted", () => {
  it.each([
    ["", 0, 0, "trades", "trades"],
    ["select from trades", 7, 7, "price", "select price from trades"],
    ["select sum() from trades", 11, 11, "price", "select sum(price) from trades"],
    ["select a, from trades", 9, 9, "price", "select a, price from trades"],
    ["select old, a", 7, 10, '"a.b"', 'select "a.b", a'],
  ])("goes into %j", (text, from, to, name, made) => {
    const { text: shown, cursor } = inserted(text, from, to, name);
    expect(shown).toBe(made);
    expect(shown.slice(0, cursor).endsWith(name)).toBe(true);
  });
});

it("remembers the last twenty statements, each once", () => {
  let history: string[] = [];
  for (let at = 0; at < 25; at += 1) history = remembered(history, `select ${at}`);
  expect(history).toHaveLength(20);
  expect(remembered(history, " select 20\n").slice(0, 3)).toEqual(["select 20", "select 24", "select 23"]);
  expect(lineOf("select *\n  from trades\n")).toBe("select * from trades");
});

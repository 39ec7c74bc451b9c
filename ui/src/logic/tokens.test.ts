import { describe, expect, it } from "vitest";

import { addValues, splitPaste, splitTyped } from "./tokens";

describe("a pasted list", () => {
  it("splits at newlines, tabs, commas and semicolons, each value once", () => {
    expect(splitPaste("A\r\nB\tC, D;E\n\nA")).toEqual(["A", "B", "C", "D", "E"]);
  });

  it("keeps blanks inside a value and drops those around it", () => {
    expect(splitPaste("  Dutch TTF ,Brent")).toEqual(["Dutch TTF", "Brent"]);
  });

  it("takes quotes around a value with separators, and a quote elsewhere as it is", () => {
    expect(splitPaste('"a, b";c"d;"say ""hi"""')).toEqual(["a, b", 'c"d', 'say "hi"']);
    expect(splitPaste('5" pipe, 6" pipe')).toEqual(['5" pipe', '6" pipe']);
    expect(splitPaste('"unclosed, b')).toEqual(['"unclosed', "b"]);
  });

  it("is empty for blanks", () => {
    expect(splitPaste(" ,;\n")).toEqual([]);
  });
});

describe("typing", () => {
  it("makes a value of what a comma closes", () => {
    expect(splitTyped("Brent,")).toEqual({ values: ["Brent"], draft: "" });
    expect(splitTyped("Brent,Dut")).toEqual({ values: ["Brent"], draft: "Dut" });
    expect(splitTyped("Dutch T")).toEqual({ values: [], draft: "Dutch T" });
  });

  it("waits for the closing quote", () => {
    expect(splitTyped('"a, b')).toEqual({ values: [], draft: '"a, b' });
    expect(splitTyped('"a, b",')).toEqual({ values: ["a, b"], draft: "" });
  });

  it("adds each value once, in the order typed", () => {
    expect(addValues(["b"], ["a", "b"])).toEqual(["b", "a"]);
  });
});

import { describe, expect, it } from "vitest";

import { addValues, enteredValues, splitPaste, splitTyped } from "./tokens";

describe("a pasted list", () => {
  it("takes each line and each cell of a table for one value, whatever it holds, each value once", () => {
    expect(splitPaste("Alpha, one\nBeta, two\nGamma")).toEqual(["Alpha, one", "Beta, two", "Gamma"]);
    expect(splitPaste("A\r\nB\tC, D;E\n\nA")).toEqual(["A", "B", "C, D;E"]);
    expect(splitPaste('C:\\\\x\n"a, b"\n')).toEqual(["C:\\\\x", "a, b"]);
  });

  it("splits at commas and semicolons if it is on one line, each value once", () => {
    expect(splitPaste("A, B;C,A")).toEqual(["A", "B", "C"]);
    expect(splitPaste(String.raw`Freight\, dry,Brent`)).toEqual(["Freight, dry", "Brent"]);
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
    expect(splitPaste(" ,;")).toEqual([]);
    expect(splitPaste(" \r\n\t \n")).toEqual([]);
  });
});

describe("typing", () => {
  it("makes a value of what a comma closes", () => {
    expect(splitTyped("Brent,")).toEqual({ values: ["Brent"], draft: "" });
    expect(splitTyped("Brent,Dut")).toEqual({ values: ["Brent"], draft: "Dut" });
    expect(splitTyped("Dutch T")).toEqual({ values: [], draft: "Dutch T" });
  });

  it("takes a comma after a backslash for a part of the value, and two backslashes for one", () => {
    expect(splitTyped(String.raw`Freight\, dry`)).toEqual({ values: [], draft: String.raw`Freight\, dry` });
    expect(splitTyped(String.raw`Freight\, dry,B\, c`)).toEqual({
      values: ["Freight, dry"],
      draft: String.raw`B\, c`,
    });
    expect(splitTyped(String.raw`a\\,`)).toEqual({ values: ["a\\"], draft: "" });
    expect(enteredValues(String.raw`Freight\, dry`)).toEqual(["Freight, dry"]);
    // On its own, a backslash is an ordinary character.
    expect(enteredValues(String.raw`DESK\user\ `)).toEqual([String.raw`DESK\user\ `.trim()]);
  });

  it("keeps what is typed after a value as it was typed", () => {
    expect(splitTyped('Brent,"a, b"')).toEqual({ values: ["Brent"], draft: '"a, b"' });
    expect(enteredValues('"a, b"')).toEqual(["a, b"]);
    expect(enteredValues('"a, b')).toEqual(['"a, b']);
  });

  it("waits for the closing quote", () => {
    expect(splitTyped('"a, b')).toEqual({ values: [], draft: '"a, b' });
    expect(splitTyped('"a, b",')).toEqual({ values: ["a, b"], draft: "" });
  });

  it("adds each value once, in the order typed", () => {
    expect(addValues(["b"], ["a", "b"])).toEqual(["b", "a"]);
  });
});

import { describe, expect, it } from "vitest";

import { toTsv } from "./tsv";

describe("rows as tab separated text", () => {
  it("quotes only what would break the table", () => {
    expect(toTsv([["a\tb", null, 'say "hi"', "007"]], [0, 1, 2, 3], null)).toBe(
      '"a\tb"\t\t"say ""hi"""\t007',
    );
  });

  it("takes the columns asked for, with their heading", () => {
    expect(toTsv([["1", "2", "3"]], [2, 0], ["c", "a"])).toBe("c\ta\n3\t1");
  });
});

import { describe, expect, it } from "vitest";

import { makeCached } from "../test/made";
import { budgetFields, evictUntilFits, readBudget, usageText } from "./budget";

it("says how much is used", () => {
  expect(usageText({ bytes: 1_800_000_000, budget: 20_000_000_000, queries: 3 })).toBe(
    "1.8 GB of 20 GB used",
  );
});

describe("a budget that is typed", () => {
  it("is read in its unit", () => {
    expect(readBudget("20", "GB")).toEqual({ bytes: 20_000_000_000 });
    expect(readBudget(" 1.5 ", "GB")).toEqual({ bytes: 1_500_000_000 });
    expect(readBudget("500", "MB")).toEqual({ bytes: 500_000_000 });
  });

  it.each(["", "0", "-1", "1,5", "twenty", "1e3", "0.2", "99999999999"])("is refused: %j", (text) => {
    expect(readBudget(text, "MB")).toHaveProperty("problem");
  });

  it("comes back as it was typed", () => {
    expect(budgetFields(20_000_000_000)).toEqual({ number: "20", unit: "GB" });
    expect(budgetFields(1_500_000_000)).toEqual({ number: "1.5", unit: "GB" });
    expect(budgetFields(500_000_000)).toEqual({ number: "500", unit: "MB" });
    // A number that would have many decimals in GB.
    expect(budgetFields(1_234_567_000)).toEqual({ number: "1234.567", unit: "MB" });
  });
});

describe("what goes when the budget is lowered", () => {
  const one = (signature: string, last_used: string | null, pinned = false) =>
    makeCached({ signature, last_used, pinned, bytes: 100 });
  const queries = [
    one("new", "2025-01-09T00:00:00Z"),
    one("kept", "2025-01-01T00:00:00Z", true),
    one("old", "2025-01-02T00:00:00Z"),
    one("never", null),
  ];
  const gone = (budget: number) =>
    evictUntilFits(queries, 400, budget).queries.map(({ signature }) => signature);

  it("is the least recently used first, and no more than needed", () => {
    expect(gone(400)).toEqual([]);
    expect(gone(399)).toEqual(["never"]);
    expect(gone(200)).toEqual(["never", "old"]);
  });

  it("is never what is pinned, even where it alone is too much", () => {
    expect(gone(50)).toEqual(["never", "old", "new"]);
    expect(evictUntilFits(queries, 400, 50).left).toBe(100);
  });

  it("orders times by when they are, not by how they are written", () => {
    const mixed = [one("later", "2025-01-02T00:30:00+01:00"), one("earlier", "2025-01-01T23:00:00Z")];
    expect(evictUntilFits(mixed, 200, 100).queries.map(({ signature }) => signature)).toEqual(["earlier"]);
  });
});

import { describe, expect, it } from "vitest";

import { budgetFields, readBudget, usageText } from "./budget";

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

import { describe, expect, it } from "vitest";

import type { Failure } from "../backend";
import { makeQuery } from "../test/made";
import { blocksFetch, failureTargetOf } from "./failureTarget";

describe("a failure of the plan", () => {
  const failure = (code: Failure["code"], message: string): Failure => ({
    code,
    message,
    next: "",
    cause: null,
  });

  it("stands beside what is to be corrected", () => {
    expect(failureTargetOf(failure("bad_range", "x"), makeQuery())).toBe("dates");
    expect(failureTargetOf(failure("bad_filter", "x"), makeQuery())).toBe("filters");
    expect(failureTargetOf(failure("bad_filter", "It does not parse."), makeQuery({ advanced: "{" }))).toBe(
      "advanced",
    );
    const filters = [{ field: "quantity", operator: "at_least" as const, values: ["x"] }];
    expect(
      failureTargetOf(
        failure("bad_filter", "quantity: not a number"),
        makeQuery({ advanced: "{}", filters }),
      ),
    ).toBe("filters");
    expect(failureTargetOf(failure("bad_mapping", "x"), makeQuery())).toBe("source");
  });

  it("stops a fetch only where typing can mend it", () => {
    expect(blocksFetch(failure("bad_filter", "x"))).toBe(true);
    expect(blocksFetch(failure("cache_busy", "x"))).toBe(false);
  });
});

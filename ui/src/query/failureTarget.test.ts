import { describe, expect, it } from "vitest";

import type { FailureTarget } from "../backend";
import { makeFailure } from "../test/made";
import { blocksFetch, failureTargetOf } from "./failureTarget";

describe("a failure of the plan", () => {
  const partOf = (target: FailureTarget | null) => failureTargetOf(makeFailure("bad_filter", "x", target));

  it("stands beside what is to be corrected", () => {
    expect(partOf({ field: "dates" })).toBe("dates");
    expect(partOf({ field: "filter", name: "quantity" })).toBe("filters");
    expect(partOf({ field: "advanced" })).toBe("advanced");
    expect(partOf({ field: "mapping" })).toBe("source");
    expect(partOf({ field: "password" })).toBe("source");
    expect(partOf(null)).toBe("plan");
  });

  it("stops a fetch only where typing can mend it", () => {
    expect(blocksFetch(makeFailure("bad_filter", "x"))).toBe(true);
    expect(blocksFetch(makeFailure("cache_busy", "x"))).toBe(false);
  });
});

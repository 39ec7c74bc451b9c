import { expect, it } from "vitest";

import { collectionDetail, onlyOne } from "./listed";

it("says what a collection is and about how large", () => {
  expect(collectionDetail({ name: "a", kind: "collection", documents: 1_234_567 })).toBe("1.2M documents");
  expect(collectionDetail({ name: "a", kind: "collection", documents: 1 })).toBe("1 document");
  expect(collectionDetail({ name: "a", kind: "view", documents: null })).toBe("view");
  expect(collectionDetail({ name: "a", kind: "time_series", documents: 0 })).toBe("time series, 0 documents");
});

it("chooses a name only if there is no other", () => {
  expect(onlyOne(["a"])).toBe("a");
  expect(onlyOne(["a", "b"])).toBeNull();
  expect(onlyOne([])).toBeNull();
  expect(onlyOne(null)).toBeNull();
});

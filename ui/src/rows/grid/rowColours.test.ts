import { expect, it } from "vitest";

import { colourOf } from "./rowColours";

it.each([
  ["CANCELLED", "tone-off"],
  ["Canceled by desk", "tone-off"],
  ["rejected", "tone-bad"],
  ["unconfirmed", "tone-warn"],
  ["late", "tone-warn"],
  ["Confirmed", "tone-good"],
  ["done", "tone-good"],
])("%s looks like %s", (value, tone) => expect(colourOf(value)?.tone).toBe(tone));

it("gives a word that it does not know the same look every time, and none to what is missing", () => {
  expect(colourOf("Q7")).toEqual(colourOf("Q7"));
  expect(colourOf("Q7")?.tone).toMatch(/^tone-[abc]$/);
  expect([colourOf(null), colourOf(""), colourOf(undefined)]).toEqual([null, null, null]);
});

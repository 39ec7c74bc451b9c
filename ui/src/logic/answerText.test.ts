import { expect, it } from "vitest";

import { makeAnswer, makePartial } from "../test/made";
import { completeness, daysText, heldRowsText, missingByReason, unverifiedText } from "./answerText";

it("never calls a partial answer complete", () => {
  expect(completeness(makeAnswer())).toBe("Complete");
  expect(completeness(makePartial(["2025-01-01", "2025-01-02"]))).toBe("Partial: 2 of 31 days missing");
  expect(completeness(makeAnswer({ complete: false }))).toBe("Partial");
});

it("says how the days were answered", () => {
  expect(daysText(makePartial(["2025-01-01"]))).toBe("30 from cache, 1 missing");
});

it("names the days that a check has not confirmed", () => {
  expect(unverifiedText(makeAnswer())).toBeNull();
  const answer = makeAnswer({ complete: false });
  answer.days.unverified = ["2025-01-03"];
  expect(completeness(answer)).toBe("Partial: 1 day unverified");
  expect(unverifiedText(answer)?.head).toBe("1 cached day could not be verified.");
});

it("groups missing days by reason", () => {
  const answer = makePartial(["2025-01-01", "2025-01-02", "2025-01-31"]);
  answer.days.why_missing[2] = { day: "2025-01-31", why: "the day has not begun" };
  expect(missingByReason(answer)).toEqual([
    { why: "the source is out of reach", days: ["2025-01-01", "2025-01-02"] },
    { why: "the day has not begun", days: ["2025-01-31"] },
  ]);
});

it("says apart what is held of trades and of messages", () => {
  expect(heldRowsText({ input_rows: 57, downstream_rows: 1730 })).toBe("57 trades, 1,730 messages held");
  expect(heldRowsText({ input_rows: 1, downstream_rows: 1 })).toBe("1 trade, 1 message held");
});

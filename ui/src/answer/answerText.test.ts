import { expect, it } from "vitest";

import { heldAnswer } from "../run/runState";
import { makeAnswer, makeFailure, makePartial } from "../test/made";
import {
  cancelledText,
  comparedAll,
  completeness,
  daysText,
  missingByReason,
  newNotes,
  originHint,
  outcomeText,
  unverifiedText,
} from "./answerText";

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
  expect(unverifiedText(answer)?.head).toBe("1 cached day could not be checked.");
});

it("groups missing days by reason", () => {
  const answer = makePartial(["2025-01-01", "2025-01-02", "2025-01-31"]);
  answer.days.why_missing[2] = { day: "2025-01-31", why: "the day has not begun" };
  expect(missingByReason(answer)).toEqual([
    { why: "the source cannot be reached", days: ["2025-01-01", "2025-01-02"] },
    { why: "the day has not begun", days: ["2025-01-31"] },
  ]);
});

it("takes what was opened for cached, and for offline only where the source is out of reach", () => {
  const opened = makePartial(["2025-01-31"]);
  expect(heldAnswer(opened, true).answer).toBe("cache");
  expect(heldAnswer(opened, false).answer).toBe("offline");
  expect(heldAnswer(null, true)).toBeNull();
  expect(originHint(heldAnswer(opened, true))).toContain("Every day shown");
});

it("says of no day that it was compared that was not", () => {
  expect(comparedAll(makeAnswer(), "refresh")).toBe(true);
  expect(comparedAll(makeAnswer(), "verify")).toBe(true);
  expect(comparedAll(makeAnswer(), "normal")).toBe(false);
  expect(comparedAll(makePartial(["2025-01-31"]), "refresh")).toBe(false);
  const failure = makeFailure("source_timeout", "");
  expect(comparedAll(makeAnswer({ failure }), "refresh")).toBe(false);
});

it("tells the end of a run in a sentence", () => {
  const failure = makeFailure("auth_failed", "Refused.", { field: "password" });
  const text = (outcome: "finished" | "failed" | "cancelled", answer = makeAnswer()) =>
    outcomeText({ outcome, answer, failure: outcome === "failed" ? failure : null });
  expect(text("finished")).toBe("Finished. Complete: 48,211 trades, 144,633 messages.");
  expect(text("cancelled", makePartial(["2025-01-31"]))).toMatch(/^Cancelled. Partial: 1 of 31 days missing/);
  expect(text("failed")).toBe("The fetch failed. Refused.");
});

it("says that days were copied from another cached query", () => {
  const answer = makeAnswer();
  answer.days = { ...answer.days, from_cache: 24, adopted: 7 };
  expect(daysText(answer)).toBe("24 from cache, 7 copied from another cached query");
});

it("says that a cancelled run has stored nothing only if nothing is cached", () => {
  const days = Array.from({ length: 31 }, (_, at) => `2025-01-${String(at + 1).padStart(2, "0")}`);
  const text = (answer: ReturnType<typeof makeAnswer> | null, stored = false) =>
    cancelledText({ mode: "normal", stored, answer });
  expect(text(null)).toBe("Nothing was stored.");
  expect(text(makePartial(days))).toBe("Nothing was stored.");
  expect(text(makePartial(days.slice(1)))).toContain("stays in the cache");
  // What is cached could not be read.
  expect(text(null, true)).toContain("stays in the cache");
});

it("leaves out notes that a warning says already", () => {
  const why = "None of these trades has a trade id (trade_ids); their messages cannot be found.";
  const unmatched = [
    { part: "trade_id" as const, field: null, path: "trade_ids", value: null, near: ["trade_id"], why },
  ];
  const other = "1 document holds bytes that are not valid BSON.";
  expect(newNotes(makeAnswer({ unmatched, notes: [why, other] }))).toEqual([other]);
  expect(newNotes(makeAnswer({ notes: [why, other] }))).toEqual([why, other]);
});

import { expect, it } from "vitest";

import { makeFound, makeTrade, makeTradeDocument } from "../test/madeTrades";
import {
  contentText,
  counterpart,
  gapText,
  kindText,
  lateText,
  missingIds,
  placeText,
  span,
} from "./tradeText";

it("words spans of time", () => {
  expect([0, 90_000, 7_500_000, 86_400_000, 97_200_000, 180_000_000].map(span)).toEqual([
    "0 ms",
    "1 min 30 s",
    "2 h 5 min",
    "1 day",
    "1 day 3 h",
    "2 days 2 h",
  ]);
});

it("words gaps and what is late", () => {
  expect(gapText(makeTradeDocument({ gap_ms: null }))).toBeNull();
  expect(gapText(makeTradeDocument({ gap_ms: 0 }))).toBe("at the same time");
  expect(gapText(makeTradeDocument({ gap_ms: 61_000, is_longest_gap: true }))).toBe(
    "1 min 1 s later (the longest gap)",
  );
  expect(lateText(makeTradeDocument())).toBeNull();
  expect(lateText(makeTradeDocument({ late_ms: 7_200_000 }))).toBe("2 h 0 min after the end of the day");
});

it("leads from a message to its trade and back", () => {
  const trade = makeTrade();
  expect(trade.documents.map((_, at) => kindText(trade, at))).toEqual([
    "Trade 1 of 2",
    "Trade 2 of 2",
    "Message",
  ]);
  expect([0, 1, 2, 9].map((place) => counterpart(trade, place))).toEqual([2, 2, 1, null]);
  const alone = makeTrade({ documents: [makeTradeDocument()] });
  expect(counterpart(alone, 0)).toBeNull();
  expect(contentText({ ...trade, is_cut: true })).toBe(
    "2 trade documents, 1 message, and more that are not shown",
  );
});

it("names where a trade was found, and which are nowhere", () => {
  expect(makeFound().found.map(({ place }) => placeText(place))).toEqual([
    "In the open answer: product Brent",
  ]);
  expect(placeText({ kind: "source" })).toBe("At the source now");
  expect(missingIds(makeFound(), null)).toEqual(["T8", "T9"]);
  expect(missingIds(makeFound(), makeFound({ not_found: ["T9"] }))).toEqual(["T9"]);
});

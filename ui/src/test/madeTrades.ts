// Trades for the tests.

import type { FoundTrades, Trade, TradeDocument } from "../backend";

export function makeTradeDocument(part: Partial<TradeDocument> = {}): TradeDocument {
  return {
    role: "input",
    day: "2025-01-31",
    id: "1",
    at: "2025-01-31T09:00:00Z",
    status: "new",
    is_cancel: false,
    gap_ms: null,
    is_longest_gap: false,
    late_ms: null,
    previous: null,
    changes: [],
    fetched: "2025-02-01T10:00:00Z",
    relaxed: '{"_id": 1}',
    canonical: '{"_id": {"$numberInt": "1"}}',
    ...part,
  };
}

/** A trade with two states, the second of which cancels it, and a late message. */
export function makeTrade(part: Partial<Trade> = {}): Trade {
  return {
    trade: "T1",
    documents: [
      makeTradeDocument(),
      makeTradeDocument({
        id: "2",
        at: "2025-01-31T10:00:00Z",
        status: "cancelled",
        is_cancel: true,
        gap_ms: 3_600_000,
        previous: 0,
        changes: [{ path: "status", before: '"new"', after: '"cancelled"' }],
        relaxed: '{"_id": 2}',
      }),
      makeTradeDocument({
        role: "downstream",
        id: "3",
        at: "2025-02-02T00:00:00Z",
        status: null,
        gap_ms: 38 * 3_600_000,
        is_longest_gap: true,
        late_ms: 86_400_000,
        relaxed: '{"_id": 3}',
      }),
    ],
    here: 0,
    is_cut: false,
    ...part,
  };
}

/** One trade in the cache; two ids are not found. */
export function makeFound(part: Partial<FoundTrades> = {}): FoundTrades {
  return {
    found: [
      {
        place: {
          kind: "cache",
          signature: "5".repeat(32),
          source: "trading.messages at db1",
          filters: "product Brent",
          is_current: true,
          is_open: true,
          from: "2025-01-31",
          to: "2025-01-31",
        },
        trade: makeTrade(),
      },
    ],
    not_found: ["T8", "T9"],
    asked: 3,
    notes: [],
    ...part,
  };
}

// Trades for the preview: each with a second state and some messages.

import type { Backend } from "..";
import type { FoundTrades, Trade, TradeDocument } from "../types";
import type { Rows } from "./asked";
import { makeRow } from "./rows";
import { TODAY } from "./store";
import { wait } from "./wait";

type Calls = Pick<Backend, "rowTrades" | "findCachedTrades" | "findSourceTrades">;

const HOUR = 3_600_000;

/** The hours after the trade at which its documents come. */
const HOURS = [0, 2, 2.5, 9, 40];

function makeTrade(trade: string, day: string, fetched: string | null): Trade {
  const at = (hours: number) => new Date(Date.parse(`${day}T09:00:00Z`) + hours * HOUR).toISOString();
  const documents = HOURS.map((hours, place): TradeDocument => {
    const isTrade = place < 2;
    const document = { _id: `${trade}-${place}`, trade_id: trade, timestamp: at(hours), quantity: 5 + place };
    const before = HOURS[place - 1];
    return {
      role: isTrade ? "input" : "downstream",
      day,
      id: document._id,
      at: at(hours),
      status: isTrade ? (place === 0 ? "new" : "amended") : "done",
      is_cancel: false,
      gap_ms: before === undefined ? null : (hours - before) * HOUR,
      is_longest_gap: place === HOURS.length - 1,
      late_ms: hours > 15 ? (hours - 15) * HOUR : null,
      previous: place === 1 || place > 2 ? place - 1 : null,
      changes: place === 1 ? [{ path: "quantity", before: "5", after: "6" }] : [],
      fetched,
      relaxed: JSON.stringify(document, null, 2),
      canonical: JSON.stringify({ ...document, quantity: { $numberInt: String(5 + place) } }, null, 2),
    };
  });
  return { trade, documents, here: 0, is_cut: false };
}

/** Ids with a 9 at their end are nowhere. */
function found(list: string, of: (id: string) => FoundTrades["found"]): FoundTrades {
  const ids = list.split(/[\n\r\t,]/).flatMap((id) => (id.trim() === "" ? [] : [id.trim()]));
  const not_found = ids.filter((id) => id.endsWith("9"));
  return {
    found: ids.filter((id) => !id.endsWith("9")).flatMap(of),
    not_found,
    asked: ids.length,
    notes: [],
  };
}

export function tradeCalls({ order, total, calendar, generation }: Rows): Calls {
  return {
    rowTrades(key, rows, position) {
      const days = calendar(key);
      const [, trade, at] = makeRow(rows.role, order(rows, total(key, rows.role), days).at(position), days);
      const made = makeTrade(trade ?? "", (at ?? TODAY).slice(0, 10), `${TODAY}T15:42:10Z`);
      return Promise.resolve({
        generation: generation(),
        trades: [{ ...made, here: rows.role === "input" ? 0 : 2 }],
      });
    },
    async findCachedTrades(list, open) {
      await wait(200);
      return found(list, (id) => [
        {
          place: {
            kind: "cache",
            signature: open?.signature ?? "5".repeat(32),
            source: "trading.messages at db1",
            filters: "product Brent",
            is_current: true,
            is_open: open !== null,
            from: TODAY,
            to: TODAY,
          },
          trade: makeTrade(id, TODAY, `${TODAY}T15:42:10Z`),
        },
      ]);
    },
    async findSourceTrades(list) {
      await wait(1200);
      return found(list, (id) => [{ place: { kind: "source" }, trade: makeTrade(id, TODAY, null) }]);
    },
  };
}

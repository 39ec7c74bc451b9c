// Made-up trades for the preview: the same row for the same position, every time.

import type { ColumnView, Role } from "../types";

export const PRODUCTS = [
  "Brent",
  "Dutch TTF",
  "EUA Dec",
  "German Power Base",
  "Gasoil",
  "NBP",
  "WTI",
  "Zürich Güter",
];
export const CELLS = ["EU-01", "EU-02", "UK-01", "US-03", "APAC-02"];
const RECEIVERS = ["clearing", "risk", "settlement", "regulatory", "limits"];
const ATTRIBUTES = ["amended", "block", "cleared", "internal", "late"];
const DISPATCHERS = ["disp-alpha", "disp-bravo", "disp-charlie"];

const column = (path: string, types: string[], numeric = false): ColumnView => ({
  path,
  label: null,
  types,
  numeric,
});

const INPUT: ColumnView[] = [
  column("_id", ["object_id"]),
  column("trade_id", ["string"]),
  column("timestamp", ["date"]),
  column("product", ["string"]),
  column("cell", ["string"]),
  column("side", ["string"]),
  column("quantity", ["decimal128"], true),
  column("price.value", ["decimal128"], true),
  column("price.currency", ["string"]),
  column("receiver", ["string", "null"]),
  column("attribute", ["array"]),
  column("relatedDispatcher", ["string"]),
  column("version", ["int32"], true),
  column("sequence", ["int64"], true),
  column("comment", ["string", "null"]),
];

const DOWNSTREAM: ColumnView[] = [
  column("_id", ["object_id"]),
  column("trade_id", ["string"]),
  column("timestamp", ["date"]),
  column("kind", ["string"]),
  column("receiver", ["string"]),
  column("status", ["string"]),
  column("latency_ms", ["int32", "int64"], true),
  column("payload", ["object"]),
];

export function columnsOf(role: Role): ColumnView[] {
  return role === "input" ? INPUT : DOWNSTREAM;
}

function mix(seed: number): number {
  let x = (seed ^ 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

function pick(list: readonly string[], seed: number): string {
  return list[mix(seed) % list.length] ?? "";
}

/** On which days the trades of an answer are. */
export interface Calendar {
  /** Differs for different days and numbers of trades. */
  key: string;
  /** The day of a trade, by its position. */
  dayOf: (trade: number) => string;
}

/** A calendar of days with so many trades each. */
export function calendarOf(days: readonly { day: string; rows: number }[]): Calendar {
  const ends: number[] = [];
  for (const { rows } of days) ends.push((ends.at(-1) ?? 0) + rows);
  return {
    key: JSON.stringify([days[0]?.day, days.at(-1)?.day, days.length, ends.at(-1)]),
    dayOf(trade) {
      let [low, high] = [0, ends.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) > trade) high = middle;
        else low = middle + 1;
      }
      return days[low]?.day ?? "1970-01-01";
    },
  };
}

/** The position of the trade that a row is of. */
export function tradeOf(role: Role, position: number): number {
  return role === "input" ? position : Math.floor(position / 3);
}

export function makeRow(role: Role, position: number, calendar: Calendar): (string | null)[] {
  const trade = tradeOf(role, position);
  const start = Date.parse(`${calendar.dayOf(trade)}T07:00:00Z`);
  const at = new Date(start + (mix(trade + 7) % 36_000_000)).toISOString();
  const id = `66f${mix(position).toString(16).padStart(8, "0")}${mix(position + 1)
    .toString(16)
    .padStart(8, "0")}a0b1c`;
  const tradeId = `T-${String(1_000_000 + trade)}`;
  if (role === "downstream") {
    const kind = ["ack", "allocation", "confirmation"][position % 3] ?? "ack";
    const late = mix(position) % 17 === 0;
    return [
      id,
      tradeId,
      at,
      kind,
      pick(RECEIVERS, position),
      late ? "late" : "done",
      String(late ? 86_400_000 + position : mix(position) % 900),
      `{"kind": "${kind}", "attempt": ${(mix(position) % 3) + 1}}`,
    ];
  }
  const seed = mix(trade + 3);
  return [
    id,
    tradeId,
    at,
    pick(PRODUCTS, trade),
    pick(CELLS, trade + 11),
    seed % 2 === 0 ? "buy" : "sell",
    `${(seed % 500) + 1}${seed % 3 === 0 ? ".500" : ""}`,
    `${20 + (seed % 90)}.${String(mix(seed) % 10_000).padStart(4, "0")}`,
    pick(["EUR", "USD", "GBP"], trade + 5),
    seed % 11 === 0 ? null : pick(RECEIVERS, trade + 2),
    seed % 4 === 0 ? "[]" : `["${pick(ATTRIBUTES, trade)}", "${pick(ATTRIBUTES, trade + 1)}"]`,
    pick(DISPATCHERS, trade + 9),
    String((seed % 4) + 1),
    `90071992547${String(40_993 + trade).padStart(6, "0")}`,
    seed % 6 === 0 ? "" : seed % 5 === 0 ? "späte Änderung, bitte prüfen" : null,
  ];
}

export const SUGGESTIONS: Record<string, string[]> = {
  product: PRODUCTS,
  cell: CELLS,
  receiver: RECEIVERS,
  attribute: ATTRIBUTES,
  relatedDispatcher: DISPATCHERS,
  relatedAttributes: ["hedge", "spread", "roll"],
};

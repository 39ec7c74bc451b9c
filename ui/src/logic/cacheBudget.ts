// How much disk the cache may take, and what goes when that is less than it takes.

import type { CachedQuery, CacheUsage } from "../backend";
import { bytes } from "./format";

export type BudgetUnit = "GB" | "MB";

export const UNIT_BYTES: Record<BudgetUnit, number> = { MB: 1_000_000, GB: 1_000_000_000 };

/** "20 GB": a budget is a round figure and needs no ".0". */
export function sizeText(value: number): string {
  return bytes(value).replace(".0 ", " ");
}

/** "1.8 GB of 20 GB used" */
export function usageText(usage: CacheUsage): string {
  return `${sizeText(usage.bytes)} of ${sizeText(usage.budget)} used`;
}

/** A budget as it stands in the editor: in the greatest unit that shows it with no more than two decimals. */
export function budgetFields(budget: number): { number: string; unit: BudgetUnit } {
  const whole = budget % (UNIT_BYTES.GB / 100) === 0;
  const unit = budget >= UNIT_BYTES.GB && whole ? "GB" : "MB";
  return { number: String(budget / UNIT_BYTES[unit]), unit };
}

/** What was typed as bytes, or what is wrong with it. */
export function readBudget(text: string, unit: BudgetUnit): { bytes: number } | { problem: string } {
  const typed = text.trim();
  if (typed === "") return { problem: "Enter a number." };
  // A comma is a decimal point to some and groups thousands to others: nobody should have to guess.
  if (!/^\d+(\.\d+)?$/.test(typed)) return { problem: "Enter a number such as 20 or 1.5." };
  const wanted = Math.round(Number(typed) * UNIT_BYTES[unit]);
  if (wanted < UNIT_BYTES.MB) return { problem: "Enter at least 1 MB." };
  if (wanted > Number.MAX_SAFE_INTEGER) return { problem: "Enter a smaller number." };
  return { bytes: wanted };
}

export interface ToGo {
  /** The queries that go, in the order they go. */
  queries: CachedQuery[];
  /** What the cache takes afterwards. */
  left: number;
}

/** What goes so that the cache fits: of the queries that are not pinned, the least recently used first. */
export function toGo(queries: readonly CachedQuery[], used: number, budget: number): ToGo {
  // One that was never used is older than any that was.
  const at = (query: CachedQuery) => (query.last_used === null ? 0 : Date.parse(query.last_used));
  const order = queries.filter((query) => !query.pinned).sort((a, b) => at(a) - at(b));
  const gone: CachedQuery[] = [];
  let left = used;
  for (const query of order) {
    if (left <= budget) break;
    gone.push(query);
    left -= query.bytes;
  }
  return { queries: gone, left: Math.max(0, left) };
}

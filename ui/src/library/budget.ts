// How much disk space the cache may use, as it is shown and typed.

import type { CacheUsage } from "../backend";
import { bytes } from "../controls/format";

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

/** A budget as the editor shows it: in the largest unit that needs at most two decimals. */
export function budgetFields(budget: number): { number: string; unit: BudgetUnit } {
  const whole = budget % (UNIT_BYTES.GB / 100) === 0;
  const unit = budget >= UNIT_BYTES.GB && whole ? "GB" : "MB";
  return { number: String(budget / UNIT_BYTES[unit]), unit };
}

/** What was typed as bytes, or what is wrong with it. */
export function readBudget(text: string, unit: BudgetUnit): { bytes: number } | { problem: string } {
  const typed = text.trim();
  if (typed === "") return { problem: "Enter a number." };
  // A comma is a decimal point to some users and groups thousands for others: do not guess.
  if (!/^\d+(\.\d+)?$/.test(typed)) return { problem: "Enter a number such as 20 or 1.5." };
  const wanted = Math.round(Number(typed) * UNIT_BYTES[unit]);
  if (wanted < UNIT_BYTES.MB) return { problem: "Enter at least 1 MB." };
  if (wanted > Number.MAX_SAFE_INTEGER) return { problem: "Enter a smaller number." };
  return { bytes: wanted };
}

// Calendar days of the preview's engine, as the `YYYY-MM-DD` texts that cross to the window.

import { isWeekend as isWeekendIn, parseDate } from "@internationalized/date";

export function addDays(day: string, days: number): string {
  return parseDate(day).add({ days }).toString();
}

/** Days in a range, both ends included; 0 if it ends before it begins. */
export function dayCount(from: string, to: string): number {
  return Math.max(0, parseDate(to).compare(parseDate(from)) + 1);
}

export function isWeekend(day: string): boolean {
  return isWeekendIn(parseDate(day), "en-GB");
}

// Arithmetic on the calendar days that cross to the window, `YYYY-MM-DD`. No clock and no zone in here.

import { getDayOfWeek, parseDate } from "@internationalized/date";

/** The day a number of days later (or earlier). */
export function addDays(day: string, days: number): string {
  return parseDate(day).add({ days }).toString();
}

/** Saturdays and Sundays, whatever the weekend is where the computer stands. */
export function isWeekend(day: string): boolean {
  return getDayOfWeek(parseDate(day), "en", "mon") >= 5;
}

/** Days in a range, both ends included; 0 if it ends before it begins. */
export function dayCount(from: string, to: string): number {
  return Math.max(0, parseDate(to).compare(parseDate(from)) + 1);
}

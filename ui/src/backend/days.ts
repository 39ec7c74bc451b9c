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

/** The name of the week of a day, from Monday to Sunday, in the calendar of ISO 8601: `2025-W09`. */
export function weekName(day: string): string {
  // The year of a week is that of its Thursday.
  const monday = addDays(day, -getDayOfWeek(parseDate(day), "en", "mon"));
  const thursday = addDays(monday, 3);
  const year = thursday.slice(0, 4);
  const week = Math.floor((dayCount(`${year}-01-01`, thursday) - 1) / 7) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/** The Monday of a week by its name. */
export function weekStart(name: string): string {
  // The first week of a year is that of January 4.
  const [year = "", week = ""] = name.split("-W");
  const inFirst = `${year}-01-04`;
  const monday = addDays(inFirst, -getDayOfWeek(parseDate(inFirst), "en", "mon"));
  return addDays(monday, 7 * (Number(week) - 1));
}

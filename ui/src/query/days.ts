// Calendar days in words and as they are typed. No clock and no zone in here.

import { DateFormatter, parseDate } from "@internationalized/date";

import { addDays } from "../backend/days";

/** Whether a text is a day that exists. */
export function isDay(text: string): boolean {
  try {
    parseDate(text);
    return true;
  } catch {
    return false;
  }
}

const WEEKDAY = new DateFormatter("en-US", { weekday: "long", timeZone: "UTC" });

/** "Friday" */
export function weekday(day: string): string {
  return WEEKDAY.format(parseDate(day).toDate("UTC"));
}

const MONTH = new DateFormatter("en-US", { month: "short", year: "numeric", timeZone: "UTC" });

/** "Jan 2025" */
export function monthLabel(day: string): string {
  return MONTH.format(parseDate(day).toDate("UTC"));
}

/** A list of days with consecutive ones joined: "2025-01-03 to 2025-01-05, 2025-01-09". */
export function joinDays(days: readonly string[]): string {
  const sorted = [...days].sort();
  const parts: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (end + 1 < sorted.length && sorted[end + 1] === addDays(sorted[end] ?? "", 1)) end += 1;
    parts.push(i === end ? `${sorted[i]}` : `${sorted[i]} to ${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(", ");
}

/** The range in a text with one or two ISO dates, in any order; null if it has none. */
export function pastedRange(text: string): { from: string; to: string } | null {
  const [one, two = one] = (text.match(/\d{4}-\d{2}-\d{2}/g) ?? []).filter(isDay);
  if (one === undefined || two === undefined) return null;
  return one <= two ? { from: one, to: two } : { from: two, to: one };
}

/** Whether the digits typed so far complete a part of a date: no further digit would fit. */
export function completesSegment(digits: string, max: number): boolean {
  return digits !== "" && (Number(`${digits}0`) > max || digits.length >= String(max).length);
}

/** What is obviously wrong with a range, without asking the backend; null if nothing is. */
export function rangeProblem(from: string, to: string): string | null {
  if (from === "" || to === "") return "Choose a first and a last day.";
  if (!isDay(from) || !isDay(to)) return "One of the dates does not exist.";
  // While a year is typed, its field holds 2, 20, 202: planning two thousand years would be useless.
  if (from < "1970-01-01" || to < "1970-01-01") return "The year is incomplete.";
  if (to < from) return "The range ends before it begins.";
  return null;
}

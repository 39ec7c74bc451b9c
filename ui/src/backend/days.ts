// Arithmetic on the calendar days that cross to the window, `YYYY-MM-DD`. No clock and no zone in here.

const DAY_MS = 86_400_000;

/** The day a number of days later (or earlier). */
export function addDays(day: string, days: number): string {
  // UTC on purpose: a calendar day has no hours here, so daylight saving time must not affect it.
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayIndex(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
}

export function isWeekend(day: string): boolean {
  return weekdayIndex(day) >= 5;
}

/** Days in a range, both ends included; 0 if it ends before it begins. */
export function dayCount(from: string, to: string): number {
  return Math.max(
    0,
    Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS) + 1,
  );
}

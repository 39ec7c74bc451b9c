// Days as the calendar takes them.

import { type DateValue, parseDate, Time, toCalendarDateTime, toZoned } from "@internationalized/date";

/**
 * A day in a zone. The calendar marks as today what is today in the zone of its days; of a day without one
 * it takes the computer's zone. Noon, for midnight may be missing where the clocks change.
 */
export function zonedDay(day: string, zone: string): DateValue {
  const date = parseDate(day);
  try {
    return toZoned(toCalendarDateTime(date, new Time(12)), zone);
  } catch {
    // A zone that this system does not know.
    return date;
  }
}

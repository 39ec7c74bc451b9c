// Days as the calendar takes them.

import { type DateValue, parseDate, Time, toCalendarDateTime, toZoned } from "@internationalized/date";

/**
 * A day in a zone. The calendar marks today by the zone of its days, or by the computer's zone if they have none.
 * Noon, since midnight may not exist on a day on which the clocks change.
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

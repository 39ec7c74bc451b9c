// Ready-made date ranges. They start from the source's own today, never from the browser's clock.

import { parseDate, startOfMonth, startOfWeek } from "@internationalized/date";

import { addDays, isWeekend } from "../backend/days";

export interface Preset {
  id: string;
  label: string;
  hint: string;
  range: (today: string) => { from: string; to: string };
}

function lastBusinessDays(today: string, count: number): { from: string; to: string } {
  let last = today;
  while (isWeekend(last)) last = addDays(last, -1);
  let first = last;
  for (let left = count - 1; left > 0;) {
    first = addDays(first, -1);
    if (!isWeekend(first)) left -= 1;
  }
  return { from: first, to: last };
}

export const PRESETS: readonly Preset[] = [
  { id: "today", label: "Today", hint: "Today", range: (today) => ({ from: today, to: today }) },
  {
    id: "yesterday",
    label: "Yesterday",
    hint: "Yesterday",
    range: (today) => ({ from: addDays(today, -1), to: addDays(today, -1) }),
  },
  {
    id: "week",
    label: "Week",
    hint: "Monday to today",
    range: (today) => ({ from: startOfWeek(parseDate(today), "en", "mon").toString(), to: today }),
  },
  {
    id: "last-7-days",
    label: "7 days",
    hint: "The last seven days, including today",
    range: (today) => ({ from: addDays(today, -6), to: today }),
  },
  {
    id: "month",
    label: "Month",
    hint: "Month to date",
    range: (today) => ({ from: startOfMonth(parseDate(today)).toString(), to: today }),
  },
  {
    id: "business-5",
    label: "5 weekdays",
    hint: "The last five weekdays up to today, including public holidays",
    range: (today) => lastBusinessDays(today, 5),
  },
];

/** The presets that give exactly this range: on a Sunday the week and the last seven days are the same. */
export function presetsOf(today: string, from: string, to: string): string[] {
  return PRESETS.filter((preset) => {
    const range = preset.range(today);
    return range.from === from && range.to === to;
  }).map((preset) => preset.id);
}

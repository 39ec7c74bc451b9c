// The commands of the time line and of other charts of bars: a part of the table in commands.ts.

import type { Line, Remark } from "./commandLine";

export const DAYS = [
  {
    does: "Narrow the rows to another day of the time line, or to what another bar stands for",
    keys: {
      leap_back: ["ArrowUp"],
      leap_on: ["ArrowDown"],
      previous_day: ["ArrowLeft"],
      next_day: ["ArrowRight"],
      first_day: ["Home"],
      last_day: ["End"],
    },
  },
  {
    does: "Move to another day and leave the rows as they are",
    keys: {
      look_leap_back: ["Ctrl+ArrowUp"],
      look_leap_on: ["Ctrl+ArrowDown"],
      look_previous: ["Ctrl+ArrowLeft"],
      look_next: ["Ctrl+ArrowRight"],
      look_first: ["Ctrl+Home"],
      look_last: ["Ctrl+End"],
    },
  },
  {
    does: "Narrow the rows to more days or fewer",
    keys: {
      extend_leap_back: ["Shift+ArrowUp"],
      extend_leap_on: ["Shift+ArrowDown"],
      extend_back: ["Shift+ArrowLeft"],
      extend_on: ["Shift+ArrowRight"],
      extend_first: ["Shift+Home"],
      extend_last: ["Shift+End"],
    },
  },
  {
    does: "Add the day to those that the rows are narrowed to, or take it away",
    keys: { toggle_day: ["Space"] },
    names: { toggle_day: "Show its rows, or no longer" },
  },
  {
    does: "Show the rows of all days",
    keys: { all_days: ["Escape"] },
    names: { all_days: "Show the rows of all days" },
  },
  {
    does: "Make the days the range of the query",
    keys: { only_day: ["Enter"] },
    names: { only_day: "Make it the range of the query" },
  },
  {
    does: "What the menu of a day offers",
    keys: { from_day: [], to_day: [], copy_day: [] },
    names: {
      from_day: "Begin the range here",
      to_day: "End the range here",
      copy_day: "Copy what is known of it",
    },
  },
] as const satisfies readonly (Line | Remark)[];

// The commands of the rows: a part of the table in commands.ts.

import type { Line, Remark } from "./commandLine";

export const ROWS = [
  {
    does: "Move between cells",
    keys: {
      up: ["ArrowUp"],
      down: ["ArrowDown"],
      left: ["ArrowLeft"],
      right: ["ArrowRight"],
      page_up: ["PageUp", "Ctrl+PageUp"],
      page_down: ["PageDown", "Ctrl+PageDown"],
      row_start: ["Home"],
      row_end: ["End"],
    },
  },
  {
    does: "Go to the edge of the rows",
    keys: {
      top: ["Ctrl+ArrowUp"],
      bottom: ["Ctrl+ArrowDown"],
      left_edge: ["Ctrl+ArrowLeft"],
      right_edge: ["Ctrl+ArrowRight"],
    },
  },
  { does: "Go to the first or last cell", keys: { first: ["Ctrl+Home"], last: ["Ctrl+End"] } },
  { does: "Extend the selection from the current cell", remark: "Shift with any of these, Shift+click" },
  {
    does: "Show the whole document",
    keys: { open: ["Enter"] },
    names: { open: "Show the document" },
  },
  {
    does: "Show the trade of the row with all of its messages",
    keys: { trade: ["Shift+Enter"] },
    names: { trade: "Show the trade with its messages" },
  },
  {
    does: "Select the whole column or row",
    keys: { select_column: ["Ctrl+Space"], select_row: ["Shift+Space"] },
    names: { select_column: "Select the column", select_row: "Select the row" },
  },
  {
    does: "Select all rows, from anywhere but a text field",
    keys: { select_all: ["Ctrl+A", "Ctrl+Shift+Space"] },
    names: { select_all: "Select all" },
  },
  {
    does: "Copy the selection, without or with the headings",
    keys: { copy: ["Ctrl+C"], copy_with_heading: ["Ctrl+Shift+C"] },
    names: { copy: "Copy", copy_with_heading: "Copy with headings" },
  },
  {
    does: "Copy numbers and times as they are shown, without or with the headings",
    keys: { copy_shown: [], copy_shown_with_heading: [] },
    names: { copy_shown: "Copy as shown", copy_shown_with_heading: "Copy as shown with headings" },
  },
  {
    does: "Sort by the column, ascending or descending",
    keys: { sort_up: ["Alt+ArrowUp"], sort_down: ["Alt+ArrowDown"] },
    names: { sort_up: "Sort by the column, ascending", sort_down: "Sort by the column, descending" },
  },
  {
    does: "Sort by this column as well, after the others",
    keys: { then_sort_up: ["Alt+Shift+ArrowUp"], then_sort_down: ["Alt+Shift+ArrowDown"] },
  },
  {
    does: "Remove the sort, or only that of this column",
    keys: { sort_off: ["Alt+Backspace"], then_sort_off: ["Alt+Shift+Backspace"] },
    names: { sort_off: "Remove the sort", then_sort_off: "Remove this column from the sort" },
  },
  {
    does: "Make the column narrower or wider",
    keys: { narrower: ["Alt+ArrowLeft"], wider: ["Alt+ArrowRight"] },
  },
  {
    does: "Move the column",
    keys: { move_left: ["Alt+Shift+ArrowLeft"], move_right: ["Alt+Shift+ArrowRight"] },
    names: { move_left: "Move left", move_right: "Move right" },
  },
  {
    does: "List the values of the column, to filter by them",
    keys: { values: ["Alt+Enter"] },
    names: { values: "List the values of the column" },
  },
  {
    does: "Show or hide what the column adds up to",
    keys: { sums: ["Ctrl+Shift+S"] },
    names: { sums: "Show or hide what the column adds up to" },
  },
  {
    does: "Show what the column contains, or group the rows by it",
    keys: { column_summary: [], group_by: [] },
    names: {
      column_summary: "Show what the column contains",
      group_by: "Group the rows by the column",
    },
  },
  {
    does: "Pin the column, so that it stays in sight, or let it scroll again",
    keys: { pin_column: [], unpin_column: [] },
    names: {
      pin_column: "Pin the column",
      unpin_column: "Unpin the column",
    },
  },
  {
    does: "Colour the rows by the column, or no longer",
    keys: { colour: [] },
    names: { colour: "Colour the rows by the column, or no longer" },
  },
  {
    does: "Choose how the column shows numbers and times",
    keys: { format: [] },
    names: { format: "Choose how the column shows numbers and times" },
  },
  {
    does: "What the menu of a cell offers to filter by",
    keys: { filter_equals: [], filter_not: [], filter_at_least: [], filter_contains: [], filter_empty: [] },
    names: {
      filter_equals: "Filter: only this value",
      filter_not: "Filter: not this value",
      filter_at_least: "Filter: at least this value",
      filter_contains: "Filter: contains this text",
      filter_empty: "Filter: empty",
    },
  },
  {
    does: "Make the value of the cell a filter of the query, which is fetched only when you say so",
    keys: { query_filter: [] },
    names: { query_filter: "Use as a filter of the query" },
  },
  { does: "Open the menu of the cell", keys: { menu: ["Shift+F10", "ContextMenu"] } },
  { does: "Leave the rows", remark: "Tab" },
] as const satisfies readonly (Line | Remark)[];

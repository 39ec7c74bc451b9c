// The one table of commands. The help lists its keys, menus, the palette and hints take names and keys from it, and what
// is pressed is looked up in it. It is here rather than in app/, since the grid and the other features below app/ take
// their commands from it. The lines of the rows and of the days are beside it.

import type { Line, Remark } from "./commandLine";
import { DAYS } from "./daysLines";
import { ROWS } from "./rowsLines";
import { SQL } from "./sqlLines";

/** Where keys hold, and what the help calls it. */
export const PLACES = {
  window: "Anywhere",
  rows: "Rows",
  days: "Days",
  columns: "Column list",
  edges: "Edge of a panel",
  headings: "Columns",
  cached: "Cached queries",
  sources: "Sources",
  sql: "SQL",
  chips: "Folded query",
} as const;

export type Place = keyof typeof PLACES;

/** The most used first. Ctrl is Cmd on a Mac. */
export const COMMANDS = {
  window: [
    { does: "Fetch", keys: { fetch: ["Ctrl+Enter"] }, names: { fetch: "Fetch" } },
    {
      does: "Find a command by its name",
      keys: { palette: ["Ctrl+Shift+P"] },
    },
    {
      does: "Close what is open, undo typing in a filter, or cancel the fetch",
      keys: { cancel: ["Escape"] },
      names: { cancel: "Cancel the fetch" },
    },
    {
      does: "Go to the query, or to the cached queries",
      keys: { go_to_query: ["Ctrl+1"], go_to_cached: ["Ctrl+2"] },
      names: { go_to_query: "Go to the query", go_to_cached: "Go to the cached queries" },
    },
    {
      does: "Go to the plan, or to the rows",
      keys: { go_to_plan: ["Ctrl+3"], go_to_rows: ["Ctrl+4"] },
      names: { go_to_plan: "Go to the plan", go_to_rows: "Go to the rows" },
    },
    {
      does: "Go to the next or previous part of the window",
      keys: { next_region: ["F6"], previous_region: ["Shift+F6"] },
    },
    {
      does: "Show or hide the details of the plan and the answer",
      keys: { details: ["Ctrl+I"] },
      names: { details: "Show or hide the details of the plan and the answer" },
    },
    {
      does: "Go to the filters",
      keys: { go_to_filters: ["Ctrl+K"] },
      names: { go_to_filters: "Go to the filters" },
    },
    {
      does: "Show or hide the filters of the columns",
      keys: { filter_row: ["Ctrl+Shift+F"] },
      names: { filter_row: "Show or hide the filters of the columns" },
    },
    {
      does: "Find a text in the rows, or go to a row by its number",
      keys: { find: ["Ctrl+F"], go_to_row: ["Ctrl+G"] },
      names: { find: "Find a text in the rows", go_to_row: "Go to a row by its number" },
    },
    {
      does: "Find a trade by its id, in the cache and at the source",
      keys: { find_trade: ["Ctrl+Shift+T"] },
      names: { find_trade: "Find a trade by its id" },
    },
    {
      does: "Show the summary of the rows in groups",
      keys: { summary: ["Ctrl+Shift+G"] },
      names: { summary: "Show the summary of the rows in groups" },
    },
    {
      does: "Query the rows by SQL",
      keys: { sql: ["Ctrl+Shift+Q"] },
      names: { sql: "Query the rows by SQL" },
    },
    {
      does: "Export the rows to a file",
      keys: { export: ["Ctrl+E"] },
      names: { export: "Export the rows" },
    },
    {
      does: "Show or hide the side panel",
      keys: { toggle_panel: ["Ctrl+B"] },
      names: { toggle_panel: "Show or hide the side panel" },
    },
    {
      does: "Fetch every day again, or check the cached days",
      keys: { refresh: [], verify: [] },
      names: {
        refresh: "Refresh: fetch every day again",
        verify: "Verify: check cached days against the server",
      },
    },
    {
      does: "Show the MongoDB pipeline of the query",
      keys: { pipeline: [] },
      names: { pipeline: "Show the MongoDB pipeline of the query" },
    },
    {
      does: "Make the text of rows and documents larger, smaller or normal",
      // A dialog may show a document, and the browser must not zoom the whole page instead.
      inDialogs: true,
      // On some keyboards the plus or the zero needs Shift, and some send the unshifted key.
      keys: {
        larger: ["Ctrl++", "Ctrl+Shift++", "Ctrl+=", "Ctrl+Shift+="],
        smaller: ["Ctrl+-", "Ctrl+Shift+-", "Ctrl+_", "Ctrl+Shift+_"],
        usual: ["Ctrl+0", "Ctrl+Shift+0"],
      },
      names: { larger: "Larger text", smaller: "Smaller text", usual: "Text size: normal" },
    },
    {
      does: "Use a named text size",
      keys: { compact: [], large: [] },
      names: { compact: "Text size: compact", large: "Text size: large" },
    },
    {
      does: "Open the sources, or change the theme",
      keys: { sources: [], next_theme: [] },
      names: { sources: "Open the sources", next_theme: "Change the theme" },
    },
    {
      does: "Open the settings",
      keys: { settings: ["Ctrl+,"] },
      names: { settings: "Open the settings" },
    },
    { does: "Show this list", keys: { help: ["F1"] }, names: { help: "Show the keyboard shortcuts" } },
  ],
  rows: ROWS,
  days: DAYS,
  columns: [
    {
      does: "Move the column up or down",
      keys: { column_up: ["Alt+ArrowUp"], column_down: ["Alt+ArrowDown"] },
    },
  ],
  edges: [
    {
      does: "Move the edge",
      keys: {
        edge_up: ["ArrowUp"],
        edge_down: ["ArrowDown"],
        edge_left: ["ArrowLeft"],
        edge_right: ["ArrowRight"],
      },
    },
    {
      does: "Make the panel as small or as large as it can be",
      keys: { smallest: ["Home"], largest: ["End"] },
    },
    { does: "Give the panel its usual size", keys: { usual_size: ["Enter"] } },
  ],
  headings: [
    {
      does: "What a column's menu offers",
      keys: { fit: [], copy_name: [], hide: [], show_all: [] },
      names: {
        fit: "Fit the width to the content",
        copy_name: "Copy the column name",
        hide: "Hide the column",
        show_all: "Show all columns",
      },
    },
  ],
  cached: [
    {
      does: "Rename or forget the query",
      keys: { rename: ["F2"], forget: ["Delete"] },
      names: { rename: "Rename", forget: "Forget" },
    },
    {
      does: "What the menu of a cached query offers",
      keys: { open_cached: [], pin: [], unpin: [], show_pipeline: [], copy_filters: [] },
      names: {
        open_cached: "Open",
        pin: "Pin",
        unpin: "Unpin",
        show_pipeline: "Show the MongoDB pipeline",
        copy_filters: "Copy the filters",
      },
    },
  ],
  sources: [
    {
      does: "What the menu of a source offers",
      keys: { use: [], edit: [], duplicate: [], delete: [], copy_place: [] },
      names: {
        use: "Use",
        edit: "Edit",
        duplicate: "Duplicate",
        delete: "Delete",
        copy_place: "Copy the connection string",
      },
    },
  ],
  sql: SQL,
  chips: [
    {
      does: "Remove the filter",
      keys: { remove_chip: ["Delete"] },
      names: { remove_chip: "Remove" },
    },
    {
      does: "What the menu of a filter offers",
      keys: { edit_chip: [], copy_chip: [] },
      names: { edit_chip: "Edit", copy_chip: "Copy" },
    },
  ],
} as const satisfies Record<Place, readonly (Line | Remark)[]>;

type CommandOf<L> = L extends { keys: infer Keys } ? keyof Keys & string : never;

/** The commands that have keys in a place. A `Record` of it covers them all. */
export type Command<P extends Place> = CommandOf<(typeof COMMANDS)[P][number]>;

/** A line of the table as it is read. */
export function linesOf(place: Place): readonly (Line | Remark)[] {
  return COMMANDS[place];
}

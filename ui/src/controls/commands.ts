// The one table of keys. The help lists it, menus and hints name its keys, and what is pressed is looked up in it. It is
// here rather than in app/, since the grid and the other features below app/ take their keys from it.

interface Line {
  /** What the keys of this line do, in the words of the help. */
  does: string;
  /** The keys of each command. The first is named to the user; the others are what some keyboards send instead. */
  keys: Record<string, readonly string[]>;
  /** They work while a dialog is open, too. */
  inDialogs?: true;
}

/** A line of the help that is about no key of ours. */
interface Remark {
  does: string;
  remark: string;
}

/** Where keys hold, and what the help calls it. */
export const PLACES = {
  window: "Anywhere",
  rows: "Rows",
  days: "Days",
  columns: "Column list",
} as const;

export type Place = keyof typeof PLACES;

/** The most used first. Ctrl is Cmd on a Mac. */
export const COMMANDS = {
  window: [
    { does: "Fetch", keys: { fetch: ["Ctrl+Enter"] } },
    {
      does: "Close what is open, undo typing in a filter, or cancel the fetch",
      keys: { cancel: ["Escape"] },
    },
    {
      does: "Go to the query, or to the cached queries",
      keys: { go_to_query: ["Ctrl+1"], go_to_cached: ["Ctrl+2"] },
    },
    { does: "Go to the plan, or to the rows", keys: { go_to_plan: ["Ctrl+3"], go_to_rows: ["Ctrl+4"] } },
    {
      does: "Go to the next or previous part of the window",
      keys: { next_region: ["F6"], previous_region: ["Shift+F6"] },
    },
    { does: "Go to the filters", keys: { go_to_filters: ["Ctrl+K"] } },
    { does: "Export the rows as CSV", keys: { export: ["Ctrl+E"] } },
    { does: "Show or hide the side panel", keys: { toggle_panel: ["Ctrl+B"] } },
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
    },
    { does: "Open the settings", keys: { settings: ["Ctrl+,"] } },
    { does: "Show this list", keys: { help: ["F1"] } },
  ],
  rows: [
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
    { does: "Show the whole document", keys: { open: ["Enter"] } },
    {
      does: "Select the whole column or row",
      keys: { select_column: ["Ctrl+Space"], select_row: ["Shift+Space"] },
    },
    {
      does: "Select all rows, from anywhere but a text field",
      keys: { select_all: ["Ctrl+A", "Ctrl+Shift+Space"] },
    },
    {
      does: "Copy the selection, without or with the headings",
      keys: { copy: ["Ctrl+C"], copy_with_heading: ["Ctrl+Shift+C"] },
    },
    {
      does: "Sort by the column, ascending or descending",
      keys: { sort_up: ["Alt+ArrowUp"], sort_down: ["Alt+ArrowDown"] },
    },
    {
      does: "Sort by this column as well, after the others",
      keys: { then_sort_up: ["Alt+Shift+ArrowUp"], then_sort_down: ["Alt+Shift+ArrowDown"] },
    },
    {
      does: "Remove the sort, or only that of this column",
      keys: { sort_off: ["Alt+Backspace"], then_sort_off: ["Alt+Shift+Backspace"] },
    },
    {
      does: "Make the column narrower or wider",
      keys: { narrower: ["Alt+ArrowLeft"], wider: ["Alt+ArrowRight"] },
    },
    {
      does: "Move the column",
      keys: { move_left: ["Alt+Shift+ArrowLeft"], move_right: ["Alt+Shift+ArrowRight"] },
    },
    { does: "Open the menu of the cell", keys: { menu: ["Shift+F10", "ContextMenu"] } },
    { does: "Leave the rows", remark: "Tab" },
  ],
  days: [
    {
      does: "Move between the days of the plan",
      keys: {
        previous_week: ["ArrowUp"],
        next_week: ["ArrowDown"],
        previous_day: ["ArrowLeft"],
        next_day: ["ArrowRight"],
        first_day: ["Home"],
        last_day: ["End"],
      },
    },
  ],
  columns: [
    {
      does: "Move the column up or down",
      keys: { column_up: ["Alt+ArrowUp"], column_down: ["Alt+ArrowDown"] },
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

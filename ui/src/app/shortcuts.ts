// The keyboard shortcuts of the window, the most used first.

export interface Shortcut {
  keys: string;
  does: string;
}

export interface ShortcutGroup {
  where: string;
  shortcuts: Shortcut[];
}

export const SHORTCUTS: readonly ShortcutGroup[] = [
  {
    where: "Anywhere",
    shortcuts: [
      { keys: "Ctrl+Enter", does: "Fetch" },
      { keys: "Esc", does: "Close what is open, undo typing in a filter, or cancel the fetch" },
      { keys: "Ctrl+1, Ctrl+2", does: "Go to the query, or to the cached queries" },
      { keys: "Ctrl+3, Ctrl+4", does: "Go to the plan, or to the rows" },
      { keys: "F6, Shift+F6", does: "Go to the next or previous part of the window" },
      { keys: "Ctrl+K", does: "Go to the filters" },
      { keys: "Ctrl+E", does: "Export the rows as CSV" },
      { keys: "Ctrl+B", does: "Show or hide the side panel" },
      {
        keys: "Ctrl++, Ctrl+-, Ctrl+0",
        does: "Make the text of rows and documents larger, smaller or normal",
      },
      { keys: "F1", does: "Show this list" },
    ],
  },
  {
    where: "Rows",
    shortcuts: [
      { keys: "Arrows, Page Up/Down, Home, End", does: "Move between cells" },
      { keys: "Ctrl+arrows", does: "Go to the edge of the rows" },
      { keys: "Ctrl+Home, Ctrl+End", does: "Go to the first or last cell" },
      { keys: "Enter", does: "Show the whole document" },
      { keys: "Shift with any of these, Shift+click", does: "Extend the selection from the current cell" },
      { keys: "Ctrl+Space, Shift+Space", does: "Select the whole column or row" },
      { keys: "Ctrl+A", does: "Select all rows, from anywhere but a text field" },
      { keys: "Ctrl+C", does: "Copy the selection; with Shift, the headings too" },
      { keys: "Alt+↑, Alt+↓", does: "Sort by the column, ascending or descending" },
      { keys: "Alt+Shift+↑, Alt+Shift+↓", does: "Sort by this column as well, after the others" },
      { keys: "Alt+Backspace", does: "Remove the sort; with Shift, only that of this column" },
      { keys: "Alt+←, Alt+→", does: "Make the column narrower or wider" },
      { keys: "Alt+Shift+←, Alt+Shift+→", does: "Move the column" },
      { keys: "Tab", does: "Leave the rows" },
    ],
  },
  {
    where: "Days",
    shortcuts: [{ keys: "Arrows, Home, End", does: "Move between the days of the plan" }],
  },
  {
    where: "Column list",
    shortcuts: [{ keys: "Alt+↑, Alt+↓", does: "Move the column up or down" }],
  },
];

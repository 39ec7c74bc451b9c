// The commands of the window that are about the rows.

import type { GridCommand } from "./grid/gridKeys";

/** What the rows of a tab can be asked for from anywhere in the window. */
export type PaneCommand = GridCommand | "filter_row" | "find" | "go_to_row";

/** Performs a command at the current cell of a tab. */
export type PaneCommands = (command: PaneCommand) => void;

/** What the rows can be asked for from anywhere in the window. */
export type RowsCommand = PaneCommand | "summary" | "sql";

/** Performs a command of the rows. */
export type RowsCommands = (command: RowsCommand) => void;

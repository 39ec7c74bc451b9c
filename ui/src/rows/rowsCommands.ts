// The commands of the window that are about the rows.

import type { GridCommand } from "./grid/gridKeys";

/** What the rows can be asked for from anywhere in the window. */
export type RowsCommand = GridCommand | "filter_row" | "find" | "go_to_row";

/** Performs a command at the current cell of the rows. */
export type RowsCommands = (command: RowsCommand) => void;

// What the keys of the rows do, other than to move and select: that is in selection.ts.

import type { Command } from "../../controls/commands";
import { commandOf, type Pressed } from "../../controls/keys";
import { isSelecting, type SelectingCommand, type WholeCommand } from "./selection";

/** What a key does. A menu is not a command: it offers commands. */
export type GridKey = Exclude<Command<"rows">, SelectingCommand>;

/** The commands of keys and menus. */
export type GridCommand = Exclude<GridKey, "menu"> | WholeCommand | "fit";

export function gridKey(event: Pressed): GridKey | null {
  const command = commandOf("rows", event);
  return command === null || isSelecting(command) ? null : command;
}

/** The filters by the value of a cell. */
export type CellFilter = Extract<GridKey, `filter_${string}`>;

/** The commands that the grid leaves to the window. */
export type AskedCommand = CellFilter | ColumnQuestion | "trade" | "query_filter";

const QUESTIONS = ["values", "sums", "column_summary", "group_by", "format", "colour"] as const;

/** What is asked about a whole column. */
export type ColumnQuestion = (typeof QUESTIONS)[number];

export function isQuestion(command: GridCommand): command is ColumnQuestion {
  return QUESTIONS.some((question) => question === command);
}

export function isAsked(command: GridCommand): command is AskedCommand {
  return ["trade", "query_filter"].includes(command) || isQuestion(command) || command.startsWith("filter_");
}

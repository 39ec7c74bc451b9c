// The commands of the grid, and their keys. The keys that move and select are in selection.ts.

import type { Pressed } from "./selection";

export type GridCommand =
  | "open"
  | "copy"
  | "copy_with_heading"
  | "sort_up"
  | "sort_down"
  | "sort_off"
  | "then_sort_up"
  | "then_sort_down"
  | "then_sort_off"
  | "narrower"
  | "wider"
  | "move_left"
  | "move_right"
  | "fit"
  | "select_all"
  | "select_column"
  | "select_row";

/** What a key does. A menu is not a command: it offers commands. */
export type GridKey = GridCommand | "menu" | null;

export function gridKey(event: Pressed): GridKey {
  const command = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && !command && !event.altKey && !event.shiftKey) return "open";
  if (command && event.key.toLowerCase() === "c") return event.shiftKey ? "copy_with_heading" : "copy";
  if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) return "menu";
  if (event.altKey && event.key === "ArrowUp") return event.shiftKey ? "then_sort_up" : "sort_up";
  if (event.altKey && event.key === "ArrowDown") return event.shiftKey ? "then_sort_down" : "sort_down";
  if (event.altKey && event.key === "Backspace") return event.shiftKey ? "then_sort_off" : "sort_off";
  if (event.altKey && event.key === "ArrowLeft") return event.shiftKey ? "move_left" : "narrower";
  if (event.altKey && event.key === "ArrowRight") return event.shiftKey ? "move_right" : "wider";
  return null;
}

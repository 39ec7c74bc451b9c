// What a key pressed in the grid asks for, beyond moving about (the grid's own business).

export type GridKey =
  | "open"
  | "copy"
  | "copy_with_heading"
  | "sort_up"
  | "sort_down"
  | "sort_off"
  | "narrower"
  | "wider"
  | "move_left"
  | "move_right"
  | null;

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

export function gridKey(event: Pressed): GridKey {
  const command = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && !command && !event.altKey && !event.shiftKey) return "open";
  if (command && event.key.toLowerCase() === "c") return event.shiftKey ? "copy_with_heading" : "copy";
  if (event.altKey && event.key === "ArrowUp") return "sort_up";
  if (event.altKey && event.key === "ArrowDown") return "sort_down";
  if (event.altKey && event.key === "Backspace") return "sort_off";
  if (event.altKey && event.key === "ArrowLeft") return event.shiftKey ? "move_left" : "narrower";
  if (event.altKey && event.key === "ArrowRight") return event.shiftKey ? "move_right" : "wider";
  return null;
}

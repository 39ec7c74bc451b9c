// Which bar is meant: by a place on the screen, and by keys.

import type { Command } from "../commands";

/** The bar at a place, counted from the left edge of all bars; null if there are none or no width. */
export function barAt(x: number, width: number, count: number): number | null {
  if (count === 0 || !(width > 0)) return null;
  // What is dragged over the edge means the last bar.
  return Math.min(count - 1, Math.max(0, Math.floor((x / width) * count)));
}

/** The bars from one to another, in order, whichever is first. */
export function between(one: number, other: number): number[] {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** The selected bars with one more or one less. */
export function toggled(selected: readonly number[], at: number): number[] {
  return selected.includes(at)
    ? selected.filter((one) => one !== at)
    : [...selected, at].sort((a, b) => a - b);
}

/** What a click selects. A second click on the only selected bar selects nothing. */
export function clicked(selected: readonly number[], at: number, adds: boolean): number[] {
  if (adds) return toggled(selected, at);
  return selected.length === 1 && selected[0] === at ? [] : [at];
}

interface Move {
  /** Bars to move by. */
  by: number;
  /** What becomes of the selection. */
  kind: "select" | "look" | "extend";
}

/** How the keys of a chart move between its bars; null for what does not move. `leap` is how far up and down go. */
export function moveOf(command: Command<"days">, leap: number, count: number): Move | null {
  const steps: Partial<Record<Command<"days">, [number, Move["kind"]]>> = {
    leap_back: [-leap, "select"],
    leap_on: [leap, "select"],
    previous_day: [-1, "select"],
    next_day: [1, "select"],
    first_day: [-count, "select"],
    last_day: [count, "select"],
    look_leap_back: [-leap, "look"],
    look_leap_on: [leap, "look"],
    look_previous: [-1, "look"],
    look_next: [1, "look"],
    look_first: [-count, "look"],
    look_last: [count, "look"],
    extend_leap_back: [-leap, "extend"],
    extend_leap_on: [leap, "extend"],
    extend_back: [-1, "extend"],
    extend_on: [1, "extend"],
    extend_first: [-count, "extend"],
    extend_last: [count, "extend"],
  };
  const step = steps[command];
  return step === undefined ? null : { by: step[0], kind: step[1] };
}

/** The bar so many further on, but none beyond the ends. */
export function moved(at: number, by: number, count: number): number {
  return Math.min(count - 1, Math.max(0, at + by));
}

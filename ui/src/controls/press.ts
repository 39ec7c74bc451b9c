import type { Pressed } from "./keys";

/** For tests: a press of a key as the table of keys spells it. */
export function press(key: string): Pressed {
  const held = /^(?:(?:Ctrl|Alt|Shift)\+)*/.exec(key)?.[0] ?? "";
  const name = key.slice(held.length);
  return {
    key: name === "Space" ? " " : name,
    ctrlKey: held.includes("Ctrl"),
    altKey: held.includes("Alt"),
    shiftKey: held.includes("Shift"),
    metaKey: false,
  };
}

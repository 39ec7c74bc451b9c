import { expect, it } from "vitest";

import { press } from "./press";
import { linesOf, type Place, PLACES } from "./commands";
import { commandOf, helpGroups, holdsInDialogs, keysOf, keyText, namedOf, pairText } from "./keys";

const PLACE_IDS = Object.keys(PLACES) as Place[];

it.each(PLACE_IDS)("gives every key one meaning: %s", (place) => {
  const keys = keysOf(place);
  expect(new Set(keys.map(([key]) => key)).size).toBe(keys.length);
  for (const [key, command] of keys) expect([key, commandOf(place, press(key))]).toEqual([key, command]);
});

it("has no key that means something else in the window than in the rows", () => {
  const rows = new Set(keysOf("rows").map(([key]) => key));
  expect(keysOf("window").filter(([key]) => rows.has(key))).toEqual([]);
});

it("reads the keys of every keyboard", () => {
  const read = (key: string) => commandOf("window", press(`Ctrl+${key}`));
  expect(["+", "=", "-", "_", "0", "a"].map(read)).toEqual([
    "larger",
    "larger",
    "smaller",
    "smaller",
    "usual",
    null,
  ]);
  expect(["Shift++", "Shift+_", "Shift+0"].map(read)).toEqual(["larger", "smaller", "usual"]);
  const command = { ...press("K"), key: "k", metaKey: true };
  expect(commandOf("window", command)).toBe("go_to_filters");
  expect(commandOf("window", { ...command, altKey: true })).toBeNull();
});

it("knows which keys a dialog leaves alone", () => {
  expect(holdsInDialogs("larger")).toBe(true);
  expect(holdsInDialogs("fetch")).toBe(false);
});

it("names the keys of a command", () => {
  expect(keyText("window", "fetch")).toBe("Ctrl+Enter");
  expect(keyText("rows", "then_sort_off")).toBe("Alt+Shift+Backspace");
  expect(pairText("rows", "then_sort_up", "then_sort_down")).toBe("Alt+Shift+↑↓");
});

it("lists every key in the help", () => {
  const text = helpGroups(false).map(({ where, lines }) => [where, ...lines.map(({ keys }) => keys)]);
  expect(text).toEqual([
    [
      "Anywhere",
      "Ctrl+Enter",
      "Ctrl+Shift+P",
      "Esc",
      "Ctrl+1, Ctrl+2",
      "Ctrl+3, Ctrl+4",
      "F6, Shift+F6",
      "Ctrl+I",
      "Ctrl+K",
      "Ctrl+Shift+F",
      "Ctrl+F, Ctrl+G",
      "Ctrl+Shift+T",
      "Ctrl+Shift+G",
      "Ctrl+Shift+Q",
      "Ctrl+E",
      "Ctrl+B",
      "Ctrl++, Ctrl+-, Ctrl+0",
      "Ctrl+,",
      "F1",
    ],
    [
      "Rows",
      "Arrows, Page Up/Down, Home, End",
      "Ctrl+arrows",
      "Ctrl+Home, Ctrl+End",
      "Shift with any of these, Shift+click",
      "Enter",
      "Shift+Enter",
      "Ctrl+Space, Shift+Space",
      "Ctrl+A",
      "Ctrl+C, Ctrl+Shift+C",
      "Alt+↑, Alt+↓",
      "Alt+Shift+↑, Alt+Shift+↓",
      "Alt+Backspace, Alt+Shift+Backspace",
      "Alt+←, Alt+→",
      "Alt+Shift+←, Alt+Shift+→",
      "Alt+Enter",
      "Ctrl+Shift+S",
      "Shift+F10",
      "Tab",
    ],
    [
      "Days",
      "Arrows, Home, End",
      "Ctrl+arrows, Ctrl+Home, Ctrl+End",
      "Shift+arrows, Shift+Home, Shift+End",
      "Space",
      "Esc",
      "Enter",
    ],
    ["Column list", "Alt+↑, Alt+↓"],
    ["Edge of a panel", "Arrows", "Home, End", "Enter"],
    ["Cached queries", "F2, Delete"],
    ["SQL", "Ctrl+Enter", "Esc", "Alt+↑, Alt+↓"],
    ["Folded query", "Delete"],
  ]);
});

it("calls the keys by their names on a Mac", () => {
  const [anywhere, rows] = helpGroups(true);
  expect(anywhere?.lines[0]).toEqual({ keys: "Cmd+Enter", does: "Fetch" });
  expect(rows?.lines.map(({ keys }) => keys)).toEqual(
    expect.arrayContaining(["Cmd+arrows", "Option+Shift+↑, Option+Shift+↓"]),
  );
});

it("has a name for no command that it does not have, and one name for each", () => {
  for (const place of PLACE_IDS) {
    const commands = linesOf(place).flatMap((line) => ("keys" in line ? Object.keys(line.keys) : []));
    const named = namedOf(place);
    expect(commands).toEqual(expect.arrayContaining(named.map(({ id }) => id)));
    expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
  }
  // The help lists keys; what has none is in the palette or in a menu, so it needs a name.
  const keyless = linesOf("window").flatMap((line) =>
    "keys" in line ? Object.entries(line.keys).flatMap(([id, keys]) => (keys.length === 0 ? id : [])) : [],
  );
  expect(namedOf("window").map(({ id }) => id)).toEqual(expect.arrayContaining(keyless));
});

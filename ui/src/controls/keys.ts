// What a pressed key means, and what the keys of a command are called: both from the table in commands.ts.

import { type Command, linesOf, type Place, PLACES } from "./commands";

/** The parts of a keyboard event that decide what a key does. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** "Ctrl+Shift+C": the key with what is held, in the spelling of the table. */
function spell({ key, ctrlKey, metaKey, shiftKey, altKey }: Pressed): string {
  const held = [ctrlKey || metaKey ? "Ctrl" : "", altKey ? "Alt" : "", shiftKey ? "Shift" : ""];
  const name = key === " " ? "Space" : key.length === 1 ? key.toUpperCase() : key;
  return [...held.filter((one) => one !== ""), name].join("+");
}

const PLACE_IDS = Object.keys(PLACES) as Place[];

/** The keys of a place, each with its command. */
export function keysOf(place: Place): [key: string, command: string][] {
  return linesOf(place).flatMap((line) =>
    "keys" in line
      ? Object.entries(line.keys).flatMap(([command, keys]) =>
          keys.map((key): [string, string] => [key, command]),
        )
      : [],
  );
}

const COMMAND_OF = new Map(PLACE_IDS.map((place) => [place, new Map(keysOf(place))]));

/** Whether a command has keys while a dialog is open. */
export function holdsInDialogs(command: Command<"window">): boolean {
  return linesOf("window").some((line) => "keys" in line && line.inDialogs === true && command in line.keys);
}

/** The command of a key in a place; null if it has none. */
export function commandOf<P extends Place>(place: P, pressed: Pressed): Command<P> | null {
  return (COMMAND_OF.get(place)?.get(spell(pressed)) as Command<P> | undefined) ?? null;
}

const IS_MAC = /Mac/.test(navigator.userAgent);

const NAMES: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  PageUp: "Page Up",
  PageDown: "Page Down",
  Escape: "Esc",
};

interface Named {
  /** "Ctrl+Shift+", or "". */
  held: string;
  name: string;
}

/** A key of the table as it is called on this computer. */
function nameOf(key: string, isMac: boolean): Named {
  const held = /^(?:(?:Ctrl|Alt|Shift)\+)*/.exec(key)?.[0] ?? "";
  const name = key.slice(held.length);
  return {
    held: isMac ? held.replace("Ctrl", "Cmd").replace("Alt", "Option") : held,
    name: NAMES[name] ?? name,
  };
}

/** The first key of a command. */
function firstKey(place: Place, command: string): string {
  return keysOf(place).find(([, of]) => of === command)?.[0] ?? "";
}

/** What menus and the palette call a command. */
export function commandName<P extends Place>(place: P, command: Command<P>): string {
  return namedOf(place).find(({ id }) => id === command)?.name ?? command;
}

/** A command as menus and the palette show it. */
export interface NamedCommand<P extends Place> {
  id: Command<P>;
  name: string;
  /** What its key is called; "" if it has none. */
  keys: string;
}

/** The commands of a place that have a name, in the order of the table. */
export function namedOf<P extends Place>(place: P): NamedCommand<P>[] {
  return linesOf(place).flatMap((line) =>
    "keys" in line && line.names !== undefined
      ? Object.entries(line.names).map(([command, name]) => ({
          id: command as Command<P>,
          name,
          keys: keyText(place, command as Command<P>),
        }))
      : [],
  );
}

/** "Ctrl+E": what the key of a command is called. */
export function keyText<P extends Place>(place: P, command: Command<P>): string {
  const { held, name } = nameOf(firstKey(place, command), IS_MAC);
  return held + name;
}

/** "Alt+↑↓": the keys of two commands in short. They differ in the arrow only. */
export function pairText<P extends Place>(place: P, one: Command<P>, other: Command<P>): string {
  return keyText(place, one) + nameOf(firstKey(place, other), IS_MAC).name;
}

/** The keys of one line of the help: "Ctrl+1, Ctrl+2", or in short "Arrows, Page Up/Down" and "Ctrl+arrows". */
function lineText(keys: readonly string[], isMac: boolean): string {
  const named = keys.map((key) => nameOf(key, isMac));
  const text = named.map(({ held, name }) => held + name).join(", ");
  const held = named[0]?.held ?? "";
  const arrows = ["↑", "↓", "←", "→"].map((name) => held + name).join(", ");
  return text
    .replace(arrows, held === "" ? "Arrows" : `${held}arrows`)
    .replace("Page Up, Page Down", "Page Up/Down");
}

export interface HelpGroup {
  where: string;
  lines: { keys: string; does: string }[];
}

/** The whole table in words. What has no key is found in the palette and in menus. */
export function helpGroups(isMac = IS_MAC): HelpGroup[] {
  return PLACE_IDS.map((place) => ({
    where: PLACES[place],
    lines: linesOf(place).flatMap((line) => {
      if ("remark" in line) return [{ does: line.does, keys: line.remark }];
      const first = Object.values(line.keys).flatMap(([key]) => key ?? []);
      return first.length === 0 ? [] : [{ does: line.does, keys: lineText(first, isMac) }];
    }),
  })).filter(({ lines }) => lines.length > 0);
}

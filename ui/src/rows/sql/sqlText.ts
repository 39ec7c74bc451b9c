// The text of a statement: places in it, and what is inserted.

/** A place in a text as the engine names it: both numbers from 1, the column in characters. */
export interface Place {
  line: number;
  column: number;
}

/** Where a place is in the text, within its bounds. */
export function offsetOf(text: string, { line, column }: Place): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  // The engine counts characters, and a string of JavaScript counts some twice.
  const within = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  return Math.min(text.length, before + within);
}

/** The end of the word that begins at an offset; at the end of the text, that of the word before. */
export function wordAt(text: string, offset: number): { from: number; to: number } {
  const rest = text.slice(offset);
  const word = /^(?:\w+|"[^"]*"?|'[^']*'?|\S)/u.exec(rest)?.[0] ?? "";
  if (word !== "") return { from: offset, to: offset + word.length };
  const last = /\S+\s*$/u.exec(text.slice(0, offset));
  return last === null ? { from: offset, to: offset } : { from: last.index, to: offset };
}

/** The text with a name in place of a selection, apart from the words beside it, and where the cursor is then. */
export function inserted(
  text: string,
  from: number,
  to: number,
  name: string,
): { text: string; cursor: number } {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const head = before === "" || /[\s(.]$/.test(before) ? "" : " ";
  const tail = after === "" || /^[\s),.;]/.test(after) ? "" : " ";
  const made = head + name;
  return { text: before + made + tail + after, cursor: from + made.length };
}

/** How many statements are remembered. */
const REMEMBERED = 20;

/** The statements that were run, the last one first, each once. */
export function remembered(history: readonly string[], text: string): string[] {
  const made = text.trim();
  return [made, ...history.filter((one) => one !== made)].slice(0, REMEMBERED);
}

/** A statement on one line, for a menu. */
export function lineOf(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

// Splitting typed or pasted text into filter values.

/** Separators of the values of a list on one line. */
const TYPED = new Set([",", ";"]);

/** Separators of the lines and cells of a pasted list. */
const PASTED = new Set(["\n", "\r", "\t"]);

interface Pieces {
  /** Values that are followed by a separator. */
  done: string[];
  /** What comes after the last separator, as a value. */
  rest: string;
  /** The same as it was typed. */
  raw: string;
}

/**
 * Cuts at separators. A piece that begins with a double quote runs to the closing quote, so that a
 * value may hold a comma ("" stands for a quote in it); a quote further on is an ordinary character.
 * With `escapes`, a backslash before a separator or a backslash makes that an ordinary character, as on the command line.
 */
function cut(text: string, separators: ReadonlySet<string>, escapes: boolean): Pieces {
  const done: string[] = [];
  let piece = "";
  let start = 0;
  let quoted = false;
  let wasQuoted = false;
  const value = () => (wasQuoted ? piece : piece.trim());
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    const next = text.charAt(i + 1);
    if (quoted) {
      if (char !== '"') piece += char;
      else if (next === '"') {
        piece += '"';
        i += 1;
      } else quoted = false;
    } else if (char === '"' && piece.trim() === "" && !wasQuoted && text.indexOf('"', i + 1) > 0) {
      piece = "";
      quoted = true;
      wasQuoted = true;
    } else if (escapes && char === "\\" && (next === "\\" || separators.has(next))) {
      piece += next;
      i += 1;
    } else if (separators.has(char)) {
      done.push(value());
      piece = "";
      start = i + 1;
      wasQuoted = false;
    } else piece += char;
  }
  return { done, rest: value(), raw: text.slice(start).trim() };
}

function keep(values: readonly string[]): string[] {
  return [...new Set(values.filter((value) => value.trim() !== ""))];
}

/** Inside an unclosed quote a comma belongs to the value. */
function isUnclosed(text: string): boolean {
  return /^\s*"/.test(text) && !/^\s*"(?:[^"]|"")*"/.test(text);
}

/**
 * The values of a pasted list. Each line, and each cell of a table, is one value, whatever commas it contains; only a
 * list on one line is split at commas, like a typed one.
 */
export function splitPaste(text: string): string[] {
  const isLines = [...text].some((char) => PASTED.has(char));
  const { done, rest } = isLines ? cut(text, PASTED, false) : cut(text, TYPED, true);
  return keep([...done, rest]);
}

/** The result of typing: the complete values, and what is still being typed. */
export function splitTyped(text: string): { values: string[]; draft: string } {
  if (isUnclosed(text)) return { values: [], draft: text };
  const { done, raw } = cut(text, TYPED, true);
  return done.length === 0 ? { values: [], draft: text } : { values: keep(done), draft: raw };
}

/** The values of typed text that is entered as it is. */
export function enteredValues(text: string): string[] {
  if (isUnclosed(text)) return keep([text.trim()]);
  const { done, rest } = cut(text, TYPED, true);
  return keep([...done, rest]);
}

/** Adds values to a list, each once, in the order typed. A blank is no value: it would filter nothing. */
export function addValues(held: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...held, ...keep(more)])];
}

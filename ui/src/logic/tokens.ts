// Splitting typed or pasted text into filter values.

const SEPARATORS = new Set(["\n", "\r", "\t", ",", ";"]);

interface Pieces {
  /** Values that a separator has closed. */
  done: string[];
  /** What stands after the last separator. */
  rest: string;
}

/**
 * Cuts at separators. A piece that begins with a double quote runs to the closing quote, so that a
 * value may hold a comma ("" stands for a quote in it); a quote further on is an ordinary character.
 */
function cut(text: string): Pieces {
  const done: string[] = [];
  let piece = "";
  let quoted = false;
  let wasQuoted = false;
  const close = () => {
    done.push(wasQuoted ? piece : piece.trim());
    piece = "";
    wasQuoted = false;
  };
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (quoted) {
      if (char !== '"') piece += char;
      else if (text.charAt(i + 1) === '"') {
        piece += '"';
        i += 1;
      } else quoted = false;
    } else if (char === '"' && piece.trim() === "" && !wasQuoted && text.indexOf('"', i + 1) > 0) {
      piece = "";
      quoted = true;
      wasQuoted = true;
    } else if (SEPARATORS.has(char)) close();
    else piece += char;
  }
  return { done, rest: wasQuoted ? piece : piece.trim() };
}

function keep(values: readonly string[]): string[] {
  return values.filter((value) => value.trim() !== "");
}

/** The values of a pasted list. */
export function splitPaste(text: string): string[] {
  const { done, rest } = cut(text);
  return [...new Set(keep([...done, rest]))];
}

/** What typing made: the closed values, and what is still being typed. */
export function splitTyped(text: string): { values: string[]; draft: string } {
  // Inside an unclosed quote a comma belongs to the value.
  if (/^\s*"/.test(text) && !/^\s*"(?:[^"]|"")*"/.test(text)) return { values: [], draft: text };
  if (![...text].some((char) => SEPARATORS.has(char))) return { values: [], draft: text };
  const { done, rest } = cut(text);
  return { values: [...new Set(keep(done))], draft: rest };
}

/** Adds values to a list, each once, in the order typed. A blank is no value: it would filter nothing. */
export function addValues(held: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...held, ...keep(more)])];
}

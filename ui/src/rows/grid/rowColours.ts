// Rows coloured by the value of a column, such as the status. A mark says the same as the colour.

export interface RowColour {
  /** The class of the row. */
  tone: string;
  /** Shown before the value. */
  mark: string;
}

const CANCELLED: RowColour = { tone: "tone-off", mark: "✕" };

/** What values begin or contain, the more particular first. */
const WORDS: readonly [RegExp, RowColour][] = [
  [/cancel|void|bust|delet|withdrawn|annul/i, CANCELLED],
  [/reject|fail|error|breach|disput/i, { tone: "tone-bad", mark: "▲" }],
  [/pend|late|open|wait|amend|hold|partial|^un|^not/i, { tone: "tone-warn", mark: "◆" }],
  [/confirm|done|settled|clear|active|^new|^live|fill|complete|^ok$|^ack/i, { tone: "tone-good", mark: "●" }],
];

const OTHERS: readonly RowColour[] = [
  { tone: "tone-a", mark: "■" },
  { tone: "tone-b", mark: "□" },
  { tone: "tone-c", mark: "○" },
];

/** How rows with a value look: known words by their meaning, others by the value alone, so that it stays the same. */
export function colourOf(value: string | null | undefined): RowColour | null {
  if (value === null || value === undefined || value === "") return null;
  const known = WORDS.find(([word]) => word.test(value));
  if (known !== undefined) return known[1];
  let sum = 0;
  for (const char of value) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return OTHERS[sum % OTHERS.length] ?? null;
}

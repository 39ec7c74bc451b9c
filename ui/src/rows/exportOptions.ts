// How exports are written: what is chosen is remembered, also between starts.

import type { ExportFormat, ExportOptions, Separator } from "../backend";

/** What a person chooses. The columns are those that are shown, or all. */
export interface ExportChoice extends Omit<ExportOptions, "columns"> {
  /** Whether the file has the columns that are shown, in their order. */
  shownColumns: boolean;
  /** Whether the file has the rows that the filters leave. */
  shownRows: boolean;
}

export const USUAL: ExportChoice = {
  format: "csv",
  separator: "comma",
  decimal_comma: false,
  byte_order_mark: false,
  zone: null,
  spreadsheet_safe: false,
  manifest: false,
  shownColumns: false,
  shownRows: true,
};

/** The formats, in the order of the dialog. */
export const FORMATS: readonly { format: ExportFormat; name: string; means: string }[] = [
  { format: "csv", name: "CSV", means: "For spreadsheets and most programs." },
  {
    format: "xlsx",
    name: "Excel",
    means:
      "Numbers, dates and texts as such. Numbers with more than 15 digits are written as text, since a spreadsheet " +
      "would round them; so are dates before March 1900. More than 1,048,575 rows go on several sheets.",
  },
  { format: "parquet", name: "Parquet", means: "For programs: every column with its type, dates in UTC." },
  {
    format: "jsonl",
    name: "JSON lines",
    means: "For programs: the documents as Extended JSON, or an object of the shown columns, one per line.",
  },
];

export const SEPARATORS: readonly { separator: Separator; name: string }[] = [
  { separator: "comma", name: "Comma" },
  { separator: "semicolon", name: "Semicolon" },
  { separator: "tab", name: "Tab" },
];

export function formatName(format: ExportFormat): string {
  return FORMATS.find((one) => one.format === format)?.name ?? format;
}

/** The choice as it was stored, which may be that of an earlier version. */
export function choiceOf(stored: Partial<ExportChoice>): ExportChoice {
  const choice = { ...USUAL, ...stored };
  const isKnown = FORMATS.some((one) => one.format === choice.format);
  const isSeparator = SEPARATORS.some((one) => one.separator === choice.separator);
  return {
    ...choice,
    format: isKnown ? choice.format : USUAL.format,
    separator: isSeparator ? choice.separator : USUAL.separator,
  };
}

/** The options of a file, with the columns that are shown if only they are wanted. */
export function optionsOf(choice: ExportChoice, shown: readonly string[]): ExportOptions {
  const { format, separator, decimal_comma, byte_order_mark, zone, spreadsheet_safe, manifest } = choice;
  const columns = choice.shownColumns ? [...shown] : [];
  return { format, columns, separator, decimal_comma, byte_order_mark, zone, spreadsheet_safe, manifest };
}

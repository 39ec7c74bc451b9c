// How numbers and times are shown. Only what is drawn changes, and what is copied as shown: any other copy has the text
// that the engine wrote. Numbers are formatted as texts, so that no digit of an Int64 or a Decimal128 is lost.

import type { ColumnView } from "../../backend";
import { decimalText, parseNumeral, plainText, rounded } from "../../controls/decimal";

export type Separator = "none" | "comma" | "point" | "space" | "apostrophe";
export type Sign = "minus" | "always" | "brackets";

export interface NumberFormat {
  /** Between thousands. */
  separator: Separator;
  /** How many decimals; null for those that the number has. */
  decimals: number | null;
  sign: Sign;
}

/** The zone in which times are shown: as MongoDB has them, in UTC, in the zone of the days, or of this computer. */
export type TimeFormat = "stored" | "utc" | "days" | "local";

/** A part that is left out is that of all columns. */
export interface ColumnFormat {
  number?: NumberFormat;
  time?: TimeFormat;
}

/** The formats of all columns, and of single ones by their paths. */
export interface Formats {
  all: ColumnFormat;
  of: Record<string, ColumnFormat>;
}

export const NO_FORMATS: Formats = { all: {}, of: {} };

export const AS_STORED: NumberFormat = { separator: "none", decimals: null, sign: "minus" };

/** The names of the zones of time formats. */
export interface Zones {
  days: string;
  local: string;
}

/** The mark between thousands, and the decimal sign that goes with it. */
const MARKS: Record<Separator, [group: string, decimal: string]> = {
  none: ["", "."],
  comma: [",", "."],
  point: [".", ","],
  space: ["\u202f", "."],
  apostrophe: ["’", "."],
};

export function numberFormat(formats: Formats, path: string): NumberFormat {
  return formats.of[path]?.number ?? formats.all.number ?? AS_STORED;
}

export function timeFormat(formats: Formats, path: string): TimeFormat {
  return formats.of[path]?.time ?? formats.all.time ?? "stored";
}

/** The formats with one for a column or, with a null path, for all of them, whatever single ones had. */
export function withFormat(formats: Formats, path: string | null, part: ColumnFormat): Formats {
  if (path !== null) return { ...formats, of: { ...formats.of, [path]: { ...formats.of[path], ...part } } };
  const keys = Object.keys(part);
  const rest = ([key]: [string, unknown]) => !keys.includes(key);
  const of = Object.entries(formats.of).map(([path, one]) => [
    path,
    Object.fromEntries(Object.entries(one).filter(rest)),
  ]);
  return { all: { ...formats.all, ...part }, of: Object.fromEntries(of) as Formats["of"] };
}

/** Whether a format leaves every number as it is. */
function isStored({ separator, decimals, sign }: NumberFormat): boolean {
  return separator === "none" && decimals === null && sign === "minus";
}

/** A number as it is shown; a text that is no finite number stays as it is. */
export function formatNumber(text: string, format: NumberFormat): string {
  const number = isStored(format) ? null : parseNumeral(text);
  if (number?.kind !== "finite") return text;
  const { separator, decimals, sign } = format;
  // A number of thousands of zeros stays in its short form.
  if (decimalText(number).includes("e")) return text;
  const shown = decimals === null ? number : rounded(number, decimals);
  const [group, point] = MARKS[separator];
  const [whole = "", fraction] = plainText(shown).replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, group);
  const digits = fraction === undefined ? grouped : `${grouped}${point}${fraction}`;
  // That of the text: what rounds to zero is still below it, and a negative zero has one.
  if (text.startsWith("-")) return sign === "brackets" ? `(${digits})` : `-${digits}`;
  return sign === "always" && number.digits !== 0n ? `+${digits}` : digits;
}

/** The most decimals of an average that are shown at first sight. */
const MOST_DECIMALS = 8;

/** An average without the many digits of a division that does not end; as it is if nothing else would be left of it. */
export function shortAverage(text: string): string {
  if ((text.split(".")[1]?.length ?? 0) <= MOST_DECIMALS) return text;
  const short = formatNumber(text, { ...AS_STORED, decimals: MOST_DECIMALS });
  return /[1-9]/.test(short) ? short : text;
}

/** A BSON date as the engine writes it. */
export const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$/;

interface Clock {
  wall: Intl.DateTimeFormat;
}

/** Cached, since making one takes longer than using it many times. Null for a zone that is not known here. */
const CLOCKS = new Map<string, Clock | null>();

function clockOf(zone: string): Clock | null {
  const kept = CLOCKS.get(zone);
  if (kept !== undefined) return kept;
  let clock: Clock | null;
  try {
    const style = { dateStyle: "short", timeStyle: "medium" } as const;
    clock = { wall: new Intl.DateTimeFormat("sv-SE", { ...style, timeZone: zone }) };
  } catch {
    clock = null;
  }
  CLOCKS.set(zone, clock);
  return clock;
}

/** How many milliseconds the clocks of a zone are ahead of UTC at a time. */
function offsetAt(clock: Clock, at: number): number {
  const whole = Math.floor(at / 1000) * 1000;
  return Date.parse(`${clock.wall.format(whole).replace(" ", "T")}Z`) - whole;
}

function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${ms < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Clocks are not set back by more than this at once. */
const CHANGE_MS = 3 * 3_600_000;

/** Whether the clocks of a zone show a time twice, since they are set back after or before it. */
function isTwice(clock: Clock, at: number, offset: number): boolean {
  return [at - CHANGE_MS, at + CHANGE_MS].some((near) => {
    const other = offsetAt(clock, near);
    return other !== offset && offsetAt(clock, at + offset - other) === other;
  });
}

/** A time on the clocks of a zone, to the digit that it has. An hour that comes twice a year has its offset. */
export function formatTime(text: string, zone: string): string {
  const [, second, fraction = ""] = TIME.exec(text) ?? [];
  const clock = second === undefined ? null : clockOf(zone);
  if (second === undefined || clock === null) return text;
  if (zone === "UTC") return second.replace("T", " ") + fraction;
  const at = Date.parse(`${second}Z`);
  if (Number.isNaN(at)) return text;
  const offset = offsetAt(clock, at);
  const shown = clock.wall.format(at) + fraction;
  return isTwice(clock, at, offset) ? `${shown} ${offsetText(offset)}` : shown;
}

/** The zone in which a format shows times; null for as they are stored. */
export function zoneOf(format: TimeFormat, zones: Zones): string | null {
  if (format === "stored") return null;
  return format === "utc" ? "UTC" : zones[format];
}

/** What a column is called above its cells: with the zone, if it has times. */
export function zoneMark(column: ColumnView, formats: Formats, zones: Zones): string {
  if (!column.types.includes("date")) return "";
  return ` (${zoneOf(timeFormat(formats, column.path), zones) ?? "UTC"})`;
}

/** A cell as it is shown. */
export function cellText(text: string, column: ColumnView, formats: Formats, zones: Zones): string {
  if (column.types.includes("date") && TIME.test(text)) {
    const zone = zoneOf(timeFormat(formats, column.path), zones);
    return zone === null ? text : formatTime(text, zone);
  }
  return column.numeric ? formatNumber(text, numberFormat(formats, column.path)) : text;
}

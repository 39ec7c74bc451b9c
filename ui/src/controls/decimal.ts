// Exact arithmetic on the texts of numbers, as the engine writes them. Nothing passes through a JavaScript number, which
// would round Int64 and Decimal128.

/** A number: `digits` times ten to the power of `exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

export type Numeral =
  ({ kind: "finite" } & Decimal) | { kind: "nan" } | { kind: "infinite"; negative: boolean };

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;

/** Decimal128 and doubles have none beyond this, and larger ones would take all memory. */
const MAX_EXPONENT = 10_000;

/** Reads the text of a number; null if it is none. */
export function parseNumeral(text: string): Numeral | null {
  if (text === "NaN" || text === "-NaN") return { kind: "nan" };
  if (text === "Infinity" || text === "-Infinity")
    return { kind: "infinite", negative: text.startsWith("-") };
  const [, sign = "", whole = "", fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  if (whole + fraction === "") return null;
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > MAX_EXPONENT) return null;
  const digits = BigInt(whole + fraction);
  return { kind: "finite", digits: sign === "-" ? -digits : digits, exponent };
}

const magnitude = (value: bigint) => (value < 0n ? -value : value);

const tenTo = (power: number) => 10n ** BigInt(power);

/** The digits of a number at an exponent that is at most its own. */
function scaledTo({ digits, exponent }: Decimal, to: number): bigint {
  return digits * tenTo(exponent - to);
}

export function compareDecimals(a: Decimal, b: Decimal): number {
  const signs = Number(a.digits > 0n) - Number(a.digits < 0n) - Number(b.digits > 0n) + Number(b.digits < 0n);
  if (signs !== 0) return signs;
  const least = Math.min(a.exponent, b.exponent);
  const [x, y] = [scaledTo(a, least), scaledTo(b, least)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** A division of whole numbers, rounded to the nearest one; `even` decides what becomes of halves. */
function divided(value: bigint, by: bigint, even: boolean): bigint {
  const negative = value < 0n !== by < 0n;
  const [over, under] = [magnitude(value), magnitude(by)];
  const down = over / under;
  const rest = 2n * (over % under);
  const up = rest > under || (rest === under && (!even || down % 2n === 1n));
  const rounded = up ? down + 1n : down;
  return negative ? -rounded : rounded;
}

/** A number with so many decimals. Halves go away from zero, as in a spreadsheet. */
export function rounded({ digits, exponent }: Decimal, decimals: number): Decimal {
  if (exponent >= -decimals)
    return { digits: scaledTo({ digits, exponent }, -decimals), exponent: -decimals };
  return { digits: divided(digits, tenTo(-decimals - exponent), false), exponent: -decimals };
}

/** Adds up numbers of any size, whose digits are only brought together at the end. */
export class ExactSum {
  readonly #byExponent = new Map<number, bigint>();

  add({ digits, exponent }: Decimal): void {
    this.#byExponent.set(exponent, (this.#byExponent.get(exponent) ?? 0n) + digits);
  }

  total(): Decimal {
    // What cancelled out does not bring its zeros.
    const parts = [...this.#byExponent].filter(([, digits]) => digits !== 0n);
    const least = Math.min(...[...this.#byExponent.keys(), 0]);
    const sum = parts.reduce((sum, [exponent, digits]) => sum + scaledTo({ digits, exponent }, least), 0n);
    return { digits: sum, exponent: least };
  }
}

/** The digits that an average has, as in the engine. */
const AVERAGE_DIGITS = 34;

/** A number divided by a count, to 34 digits; halves go to the even digit. */
export function averageOf({ digits, exponent }: Decimal, by: number): Decimal {
  if (digits === 0n || by <= 0) return { digits: 0n, exponent: 0 };
  const count = BigInt(by);
  // More digits than are wanted, then rounded once: a rest that was cut off only matters if it is not zero.
  const extra = AVERAGE_DIGITS + String(by).length + 2;
  const over = digits * tenTo(extra);
  const exact = over % count === 0n;
  let quotient = over / count;
  const surplus = String(magnitude(quotient)).length - AVERAGE_DIGITS;
  if (surplus > 0) {
    // A half that is not exact is a little more than a half.
    const sticky = exact ? 0n : quotient < 0n ? -1n : 1n;
    quotient = divided(quotient * 10n + sticky, tenTo(surplus + 1), true);
  }
  return normalized({ digits: quotient, exponent: exponent - extra + Math.max(0, surplus) });
}

/** A number without zeros at its end. */
function normalized({ digits, exponent }: Decimal): Decimal {
  const text = String(digits);
  const zeros = digits === 0n ? 0 : text.length - text.replace(/0+$/, "").length;
  return { digits: digits / tenTo(zeros), exponent: digits === 0n ? 0 : exponent + zeros };
}

/** A number is written in full unless it would be mostly zeros. */
const PLAIN_ZEROS = 60;

/** The text of a number with all its digits, as the engine writes sums. */
export function decimalText(number: Decimal): string {
  const { digits, exponent } = normalized(number);
  const length = String(magnitude(digits)).length;
  const zeros = exponent >= 0 ? exponent : Math.max(0, -exponent - length);
  if (zeros <= PLAIN_ZEROS) {
    const isPadded = number.exponent < exponent - PLAIN_ZEROS;
    return plainText(isPadded ? { digits, exponent } : number);
  }
  const text = String(magnitude(digits));
  const power = exponent + text.length - 1;
  const fraction = text.length > 1 ? `.${text.slice(1)}` : "";
  return `${digits < 0n ? "-" : ""}${text.charAt(0)}${fraction}e${power < 0 ? "-" : "+"}${Math.abs(power)}`;
}

/** A number without an exponent. */
export function plainText({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? "-" : "";
  const text = String(magnitude(digits));
  if (exponent >= 0) return `${sign}${digits === 0n ? "0" : text + "0".repeat(exponent)}`;
  const padded = text.padStart(1 - exponent, "0");
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

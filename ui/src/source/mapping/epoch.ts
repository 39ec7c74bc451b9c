// Times that are stored as numbers since 1970, as a person reads them.

import type { DateForm } from "../../backend";

/** Digits of a second that a unit counts. */
const PLACES: Partial<Record<DateForm, number>> = { epoch_s: 0, epoch_ms: 3, epoch_us: 6, epoch_ns: 9 };

/** `1738315800000 (2025-01-31 09:30:00 UTC)`. A value that is no such number stays as it is. */
export function withTime(example: string, form: DateForm | null): string {
  const places = form === null ? undefined : PLACES[form];
  // A decimal is shown as Extended JSON.
  const digits = /^(?:\{"\$numberDecimal": ?")?(-?\d{1,30})(?:\.\d+)?(?:"\})?$/.exec(example)?.[1];
  if (places === undefined || digits === undefined) return example;
  const unit = 10n ** BigInt(places);
  const count = BigInt(digits);
  // Rounds down before 1970, too.
  const seconds = count / unit - (count % unit < 0n ? 1n : 0n);
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return example;
  return `${example} (${at.toISOString().slice(0, 19).replace("T", " ")} UTC)`;
}

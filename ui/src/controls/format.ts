// Numbers and times as the window shows them. One locale, so that a screenshot reads the same everywhere.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 48,211 */
export function count(value: number): string {
  return whole.format(value);
}

/** "1 row", "2 rows" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Bytes in the unit that leaves one to three digits before the point. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${rest.toFixed(unit === 0 || rest >= 99.5 ? 0 : 1)} ${units[unit]}`;
}

/** A span of time: "840 ms", "12 s", "3 min 20 s", "2 h 5 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "3 min 20 s left"; an estimate is not more exact than a second. */
export function timeLeft(ms: number): string {
  return ms < 1000 ? "less than a second left" : `${duration(ms)} left`;
}

// In full, since the short forms differ between versions of the system's locale data.
const relative = new Intl.RelativeTimeFormat("en-US", { style: "long" });

/** "2 minutes ago": how long ago, in words. A time in the future is reported as such, since a clock must be wrong. */
export function ago(then: string, now: number): string {
  const seconds = Math.round((now - Date.parse(then)) / 1000);
  if (Number.isNaN(seconds)) return "at an unknown time";
  if (seconds < -5) return "in the future";
  if (seconds < 5) return "just now";
  if (seconds < 60) return relative.format(-seconds, "second");
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), "hour");
  return relative.format(-Math.floor(seconds / 86_400), "day");
}

/** The same to the minute and without the zone, for tight spaces. */
export function shortMoment(then: string, zone: string): string {
  return moment(then, zone).slice(0, 16);
}

/** A time to the second in the day zone, "2026-11-22 09:30:00". Falls back to UTC for an unknown zone. */
export function moment(then: string, zone: string): string {
  const at = new Date(then);
  if (Number.isNaN(at.getTime())) return then;
  const { format, name } = clockOf(zone);
  return `${format.format(at)} ${name}`;
}

interface Clock {
  format: Intl.DateTimeFormat;
  name: string;
}

/** Cached, since making one takes longer than using it many times. */
const CLOCKS = new Map<string, Clock>();

function clockOf(zone: string): Clock {
  const kept = CLOCKS.get(zone);
  if (kept !== undefined) return kept;
  const made = (timeZone: string) => ({
    format: new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }),
    name: timeZone,
  });
  let clock: Clock;
  try {
    clock = made(zone);
  } catch {
    clock = made("UTC");
  }
  CLOCKS.set(zone, clock);
  return clock;
}

/** A text of bounded length. */
export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** Whether a text has all the words that are typed, in any order. */
export function hasWords(text: string, typed: string): boolean {
  const lower = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}

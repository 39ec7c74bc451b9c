import type { ShownZone } from "../backend";

/** The time zone of this computer. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The name of the zone in which points in time are shown. */
export function shownZone(choice: ShownZone, dayZone: string): string {
  if (choice === "days") return dayZone;
  return choice === "utc" ? "UTC" : localZone();
}

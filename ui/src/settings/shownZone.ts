import type { ShownZone } from "../backend";
import { localZone } from "../controls/localZone";

/** The name of the zone in which points in time are shown. */
export function shownZone(choice: ShownZone, dayZone: string): string {
  if (choice === "days") return dayZone;
  return choice === "utc" ? "UTC" : localZone();
}

// A mapping that was proposed belongs to the place whose documents were read, until somebody changes it.

import type { SourceProfile } from "../backend";

/** A mapping that was taken over from a proposal. */
export interface Taken {
  mapping: string;
  /** What had been typed before, which the proposal left as it was. */
  typed: string;
  /** Where the documents were read. */
  place: string;
}

/** Equal only for the same collection at the same server. */
export function placeOf({ uri, database, collection }: SourceProfile): string {
  return JSON.stringify([uri, database, collection]);
}

/** The part of a mapping that somebody typed: nothing if it is as it was proposed. */
export function typedMapping(mapping: string, taken: Taken | null): string {
  return taken !== null && mapping === taken.mapping ? taken.typed : mapping;
}

/** Whether the mapping was proposed for a different place and has not been changed since. */
export function isOutdated(profile: SourceProfile, taken: Taken | null): boolean {
  return taken !== null && profile.mapping === taken.mapping && placeOf(profile) !== taken.place;
}

/** The same without a mapping that was proposed for a different place. */
export function withoutOutdated<T extends SourceProfile>(profile: T, taken: Taken | null): T {
  return isOutdated(profile, taken) ? { ...profile, mapping: typedMapping(profile.mapping, taken) } : profile;
}

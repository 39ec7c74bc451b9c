// A mapping that was proposed belongs to the place whose documents were read; what somebody changed in it does not.

import type { SourceProfile } from "../backend";

/** A mapping that was taken over from a proposal. */
export interface Taken {
  mapping: string;
  /** What had been typed before, which the proposal left as it was. */
  typed: string;
  /** Where the documents were read. */
  place: string;
}

type Json = Record<string, unknown>;

/** Equal only for the same collection at the same server. */
export function placeOf({ uri, database, collection }: SourceProfile): string {
  return JSON.stringify([uri, database, collection]);
}

/** The part of a mapping that somebody typed or changed: nothing if it is as it was proposed. */
export function typedMapping(mapping: string, taken: Taken | null): string {
  if (taken === null) return mapping;
  if (mapping === taken.mapping) return taken.typed;
  const [now, proposed, typed] = [mapping, taken.mapping, taken.typed].map(fileOf);
  // Text that cannot be read is not a change of some parts.
  if (!now || !proposed || !typed) return mapping;
  const filters = changesOf(now["filters"] ?? {}, proposed["filters"] ?? {}, typed["filters"] ?? {});
  const changed = changesOf(now, proposed, typed, ["version", "filters"]);
  // There is always a zone: one that was removed is left to what is proposed.
  if (changed["day_zone"] === null) delete changed["day_zone"];
  if (Object.keys(filters).length > 0) changed["filters"] = filters;
  if (Object.keys(changed).length === 0) return "";
  // What was changed may need the version that the proposal has.
  return JSON.stringify({ version: now["version"] ?? 1, ...changed }, null, 2);
}

/**
 * Whether the mapping, apart from what somebody changed in it, was proposed for a different place. Text that cannot be
 * read stays as it is.
 */
export function isOutdated(profile: SourceProfile, taken: Taken | null): boolean {
  if (taken === null || placeOf(profile) === taken.place) return false;
  return profile.mapping === taken.mapping || fileOf(profile.mapping) !== null;
}

/** The same without what was proposed for a different place. */
export function withoutOutdated<T extends SourceProfile>(profile: T, taken: Taken | null): T {
  return isOutdated(profile, taken) ? { ...profile, mapping: typedMapping(profile.mapping, taken) } : profile;
}

/** A mapping file as an object; null if the text is no object. */
function fileOf(text: string): Json | null {
  if (text.trim() === "") return {};
  try {
    const file: unknown = JSON.parse(text);
    return isObject(file) ? file : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What had been typed, and each key with a different value than the proposed one; null for one that was removed. */
function changesOf(now: unknown, proposed: unknown, typed: unknown, apart: string[] = []): Json {
  const [after = {}, before = {}, first = {}] = [now, proposed, typed].map((part) =>
    isObject(part) ? part : {},
  );
  const changed: Json = { ...first };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = after[key] ?? null;
    if (JSON.stringify(value) !== JSON.stringify(before[key] ?? null)) changed[key] = value;
  }
  return Object.fromEntries(Object.entries(changed).filter(([key]) => !apart.includes(key)));
}

// How the parts of a mapping and what a proposal says of them are put into words, and what may be picked for each.

import type {
  Confidence,
  DateForm,
  MappingPart,
  Proposal,
  ProposedField,
  SeenPath,
  TypeShare,
} from "../../backend";

/** Something to pick, and what the documents say about it. */
export interface Choice {
  id: string;
  detail: string;
}

/** How a time or a date may be stored, with an example. */
export const FORM_WORDS: Record<DateForm, string> = {
  date: "Stored as a date",
  iso_text: "Text: 2025-01-31T09:30:00Z",
  epoch_s: "Seconds: 1738315800",
  epoch_ms: "Milliseconds: 1738315800000",
  epoch_us: "Microseconds: 1738315800000000",
  epoch_ns: "Nanoseconds: 1738315800000000000",
  yyyymmdd: "Eight digits: 20250131",
  object_id: "The time in an ObjectId",
};

export const SURE_WORDS: Record<Confidence, string> = {
  sure: "Sure",
  likely: "Likely",
  unsure: "Please check",
};

/** "97%". A few documents are never rounded to none, nor most of them to all. */
export function shareText(share: number): string {
  if (share > 0 && share < 0.01) return "under 1%";
  return `${Math.min(Math.round(share * 100), share < 1 ? 99 : 100)}%`;
}

/** "string 97%, null 3%", or just "string". */
export function typesText(types: readonly TypeShare[]): string {
  const [only, ...rest] = types;
  if (only !== undefined && rest.length === 0) return only.name;
  return types.map(({ name, share }) => `${name} ${shareText(share)}`).join(", ");
}

/** Examples of values, which may have commas in them. */
export function examplesText(examples: readonly string[]): string {
  return examples.join(" | ");
}

/** What the documents have at a path, in one line. */
export function seenText(seen: Pick<SeenPath, "share" | "types" | "examples">): string {
  // A path of the messages is in none of the trades.
  const share = seen.share === 0 ? "" : `in ${shareText(seen.share)}`;
  const parts = [share, typesText(seen.types), examplesText(seen.examples)];
  return parts.filter((part) => part !== "").join(" · ");
}

/** What the proposal says of a part, if it found anything. */
export function foundFor(proposal: Proposal | null, key: string): ProposedField | null {
  const field = proposal?.fields.find((one) => one.key === key);
  return field === undefined || (field.path === null && field.examples.length === 0) ? null : field;
}

/** The keys of the parts that are neither used nor found in the documents. */
export function unusedKeys(parts: readonly MappingPart[], proposal: Proposal | null): string[] {
  return parts
    .filter(({ key, value }) => value === null && foundFor(proposal, key) === null)
    .map(({ key }) => key);
}

/** Paths to pick from, those named first in front. */
export function pathChoices(proposal: Proposal | null, first: readonly string[]): Choice[] {
  const seen = new Map((proposal?.paths ?? []).map((path) => [path.path, path]));
  return [...new Set([...first, ...seen.keys()])].map((id) => {
    const found = seen.get(id);
    return { id, detail: found === undefined ? "" : seenText(found) };
  });
}

let zones: Choice[] | null = null;

/** The time zones that this computer knows. */
function zoneChoices(): Choice[] {
  // The oldest systems cannot list them; a name can still be typed.
  const known = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  zones ??= [...new Set(["UTC", ...known])].map((id) => ({ id, detail: "" }));
  return zones;
}

/** Whether a part names a path of the trades that none of them has. */
export function isAbsent(key: string, value: string | null, { paths }: Proposal): boolean {
  const isPath = !/(zone|collection)$/.test(key) && key !== "downstream_trade_id";
  return isPath && value !== null && paths.length > 0 && paths.every(({ path }) => path !== value);
}

/** What may be picked for a part. */
export function choicesFor(part: MappingPart, proposal: Proposal | null): Choice[] {
  if (part.key.endsWith("zone")) return zoneChoices();
  const field = proposal?.fields.find(({ key }) => key === part.key);
  const first = field === undefined ? [] : [...(field.path === null ? [] : [field.path]), ...field.others];
  // The names of collections are not paths.
  if (part.key.endsWith("collection")) {
    return [...new Set([...first, ...(proposal?.collections ?? [])])].map((id) => ({ id, detail: "" }));
  }
  return pathChoices(proposal, first);
}

/** The most that a list shows; typing narrows it. */
const MAX_OFFERED = 100;

/** The choices that have what was typed in them. All of them if nothing was typed since the current one was picked. */
export function offeredFor(choices: readonly Choice[], typed: string, current: string): Choice[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "" || typed === current) return choices.slice(0, MAX_OFFERED);
  return choices.filter(({ id }) => id.toLowerCase().includes(wanted)).slice(0, MAX_OFFERED);
}

// What a refresh or a verification found, in words: on the screen, and as text to copy.

import type { ChangeCounts, ChangeKind, Changes, FieldChange, DocumentChange, Role } from "../backend";
import { count, plural } from "../controls/format";

export const CHANGE_KINDS: readonly ChangeKind[] = ["added", "changed", "gone"];

export const KIND_LABELS: Record<ChangeKind, string> = {
  added: "Added",
  changed: "Changed",
  gone: "Removed",
};

export const KIND_HINTS: Record<ChangeKind, string> = {
  added: "New at the source",
  changed: "Different at the source",
  gone: "No longer at the source",
};

export const ROLE_WORDS: Record<Role, string> = { input: "trade", downstream: "message" };

/** Which kinds are shown. */
export type KindFilter = ChangeKind | "all";

/** Entries of one day, in the order of the backend. */
export interface DayChanges {
  day: string;
  messages: DocumentChange[];
}

/** Shown if a document has no such field. */
export const NO_FIELD = "no such field";

/** The number of differences, listed or not. */
export function total(changes: Changes): number {
  const of = ({ added, changed, gone }: ChangeCounts) => added + changed + gone;
  return of(changes.input) + of(changes.downstream);
}

/** "3 trades added, 1 changed, 2 removed": the noun appears once. */
function countsText({ added, changed, gone }: ChangeCounts, noun: string): string {
  const parts: string[] = [];
  const say = (number: number, word: string) => {
    if (number > 0) parts.push(`${parts.length === 0 ? plural(number, noun) : count(number)} ${word}`);
  };
  say(added, "added");
  say(changed, "changed");
  say(gone, "removed");
  return parts.join(", ");
}

/**
 * What a refresh or a verification found; null if nothing was compared. `whole` says that every day of the answer was
 * compared: nothing is known about the others.
 */
export function changesText(changes: Changes | null, whole: boolean): string | null {
  if (changes === null) return null;
  const parts = [countsText(changes.input, "trade"), countsText(changes.downstream, "message")].filter(
    (part) => part !== "",
  );
  if (parts.length > 0) return parts.join("; ");
  return whole ? "Nothing changed at the source" : "Nothing changed on the days that were compared";
}

/** How many of the listed entries are of each kind. */
export function listedCounts(messages: readonly DocumentChange[]): Record<KindFilter, number> {
  const counts: Record<KindFilter, number> = { all: messages.length, added: 0, changed: 0, gone: 0 };
  for (const { kind } of messages) counts[kind] += 1;
  return counts;
}

export function ofKind(messages: readonly DocumentChange[], filter: KindFilter): DocumentChange[] {
  return messages.filter((message) => filter === "all" || message.kind === filter);
}

/** The entries by day, the earliest first. */
export function byDay(messages: readonly DocumentChange[]): DayChanges[] {
  const days = new Map<string, DocumentChange[]>();
  for (const message of messages) days.set(message.day, [...(days.get(message.day) ?? []), message]);
  return [...days].map(([day, own]) => ({ day, messages: own })).sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** "trade T-1000042", or what it is if it has no trade id. */
export function entryName({ role, trade }: DocumentChange): string {
  if (role === "input") return trade === null ? "trade without a trade id" : `trade ${trade}`;
  return trade === null ? "message without a trade id" : `message of trade ${trade}`;
}

function fieldText({ path, before, after }: FieldChange): string {
  return `  ${path}: ${before ?? `(${NO_FIELD})`} -> ${after ?? `(${NO_FIELD})`}`;
}

/** One entry as text, its fields on lines of their own. */
export function entryText(entry: DocumentChange): string {
  const head = `${entry.day}  ${KIND_LABELS[entry.kind]}  ${entryName(entry)}  _id ${entry.id}`;
  return [head, ...entry.fields.map(fieldText)].join("\n");
}

/** How many differences are not listed, in a sentence; null if all are. */
export function omittedText(changes: Changes): string | null {
  if (changes.omitted === 0) return null;
  return `${plural(changes.omitted, "more document differs", "more documents differ")} and ${
    changes.omitted === 1 ? "is" : "are"
  } not listed here.`;
}

/** The entries of a list as text, with a heading that says what they belong to, ready for an e-mail. */
export function listText(title: string, changes: Changes, whole: boolean, filter: KindFilter): string {
  const narrowed = filter === "all" ? null : `Only: ${KIND_LABELS[filter].toLowerCase()}`;
  const head = [title, changesText(changes, whole), omittedText(changes), narrowed].filter(
    (line) => line !== null,
  );
  const entries = byDay(ofKind(changes.messages, filter)).flatMap(({ messages }) => messages.map(entryText));
  return [...head, "", ...entries].join("\n");
}

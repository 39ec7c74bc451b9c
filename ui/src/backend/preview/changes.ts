// Made-up differences between the cache and the source, for the preview.

import type { ChangeCounts, ChangeKind, Changes, FieldChange, DocumentChange, Role } from "../types";
import { calendarOf, makeRow } from "./rows";

const KINDS: ChangeKind[] = ["added", "changed", "gone", "changed", "added"];

function fields(at: number): FieldChange[] {
  const status = { path: "status", before: '"done"', after: at % 3 === 0 ? '"late"' : '"amended"' };
  const price = { path: "price.value", before: "50.3821", after: `${51 + (at % 9)}.0150` };
  const legs = {
    path: "legs",
    before: '[{"leg": 1, "quantity": 250}]',
    after:
      '[{"leg": 1, "quantity": 250}, {"leg": 2, "quantity": 100, "comment": "späte Änderung, bitte prüfen"}]',
  };
  const added = { path: "amended_by", before: null, after: '"desk-7"' };
  const gone = { path: "valid_until", before: '{"$date": "2026-11-30T00:00:00Z"}', after: null };
  return [status, ...(at % 2 === 0 ? [price, added] : []), ...(at % 5 === 0 ? [legs, gone] : [])];
}

function message(day: string, at: number): DocumentChange {
  const role: Role = at % 4 === 3 ? "downstream" : "input";
  const kind = KINDS[at % KINDS.length] ?? "added";
  const [id = "", trade = null] = makeRow(role, at, calendarOf([{ day, rows: 1 }]));
  return {
    kind,
    role,
    day,
    id: id ?? "",
    trade: at === 9 ? null : trade,
    fields: kind === "changed" ? fields(at) : [],
  };
}

/** Spreads this many differences over the days. Like the engine, lists at most 500 of them. */
export function makeChanges(days: readonly string[], many: number): Changes {
  const listed = Math.min(many, 500);
  const each = Math.ceil(listed / Math.max(1, days.length));
  const messages = Array.from({ length: listed }, (_, at) => message(days[Math.floor(at / each)] ?? "", at));
  const counts = (role: Role): ChangeCounts => {
    const of = (kind: ChangeKind) => messages.filter((one) => one.role === role && one.kind === kind).length;
    return { added: of("added"), changed: of("changed"), gone: of("gone") };
  };
  const input = counts("input");
  return {
    input: { ...input, added: input.added + many - listed },
    downstream: counts("downstream"),
    messages,
    omitted: many - listed,
  };
}

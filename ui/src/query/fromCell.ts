// The condition of the query that the value of a cell makes: typed as the document has it.

import type { FilterField, FilterInput, ValueType } from "../backend";

/** What a cell changes in the form, or why it changes nothing. */
export type CellChange =
  | { kind: "filter"; filter: FilterInput }
  | { kind: "days"; day: string }
  /** A path and its value in canonical Extended JSON, for the advanced match. */
  | { kind: "match"; path: string; value: unknown }
  | { kind: "none"; why: string };

export interface QueryCell {
  path: string;
  /** The text of the cell; null if it is empty. */
  text: string | null;
  /** The document of the row, in canonical Extended JSON. */
  canonical: string;
  /** The day of the row, if the column is the one that decides it. */
  day: string | null;
  fields: readonly FilterField[];
}

const LOST = "This value cannot be read back from the document";

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The names of BSON types in canonical Extended JSON that stand for one value. */
const WRAPPED = [
  "$numberInt",
  "$numberLong",
  "$numberDouble",
  "$numberDecimal",
  "$date",
  "$oid",
  "$binary",
] as const;

type Kind = "string" | "bool" | (typeof WRAPPED)[number];

/** The type of a single value; null for lists, documents and rare types. */
function kindOf(value: unknown): Kind | null {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (!isObject(value)) return null;
  const keys = Object.keys(value);
  return keys.length === 1 ? (WRAPPED.find((name) => name === keys[0]) ?? null) : null;
}

/** The types of values that a filter of a type finds: a text "7" is no number, and 0.1 as a double is no decimal. */
const FINDS: Record<ValueType, readonly Kind[]> = {
  text: ["string"],
  integer: ["$numberInt", "$numberLong"],
  number: ["$numberInt", "$numberLong", "$numberDouble"],
  decimal: ["$numberInt", "$numberLong", "$numberDecimal"],
  date: ["$date"],
  bool: ["bool"],
  object_id: ["$oid"],
  uuid: ["$binary"],
};

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Whether the form, which trims what is typed, reads a text as this value. */
function isTyped(text: string, type: ValueType): boolean {
  if (text === "" || text !== text.trim()) return false;
  if (type === "uuid") return UUID.test(text);
  if (type === "date") return /^\d{4}-.*Z$/.test(text);
  return !["integer", "number", "decimal"].includes(type) || /^-?\d/.test(text);
}

/** What a path leads to: undefined if the document has no such field, null in a box if it is in a list. */
function valueAt(document: unknown, path: string): { value: unknown } | null {
  let value = document;
  for (const name of path.split(".")) {
    if (value === undefined) break;
    if (!isObject(value) || kindOf(value) !== null || name.startsWith("$")) return null;
    value = value[name];
  }
  return { value };
}

function read(canonical: string): unknown {
  try {
    return JSON.parse(canonical) as unknown;
  } catch {
    return undefined;
  }
}

/** The text of one of a list's values, for a filter of a type; null if the filter does not find it. */
function elementText(value: unknown, type: ValueType): string | null {
  const kind = kindOf(value);
  if (kind === null || !FINDS[type].includes(kind)) return null;
  const inner: unknown = isObject(value) ? Object.values(value)[0] : value;
  // Dates and binary values have a form of their own in the document.
  const text = typeof inner === "string" || typeof inner === "boolean" ? String(inner) : null;
  return text !== null && kind !== "$date" && isTyped(text, type) ? text : null;
}

/** What the value of a cell changes in the form. */
export function cellChange({ path, text, canonical, day, fields }: QueryCell): CellChange {
  if (day !== null) return { kind: "days", day };
  const found = valueAt(read(canonical), path);
  const field = fields.find((one) => one.path === path);
  if (found === null) return { kind: "none", why: LOST };
  const { value } = found;
  if (text === null) {
    if (value !== undefined && value !== null) return { kind: "none", why: LOST };
    const isMissing = field !== undefined && value === undefined;
    if (!isMissing) return { kind: "match", path, value: null };
    return { kind: "filter", filter: { field: field.name, operator: "missing", values: [] } };
  }
  if (value === undefined || value === null) return { kind: "none", why: LOST };
  if (Array.isArray(value)) {
    const texts = field === undefined ? [] : value.map((one) => elementText(one, field.value_type));
    const values = texts.filter((one) => one !== null);
    if (field === undefined || values.length === 0 || values.length < texts.length) {
      return { kind: "none", why: "A list cannot be a filter of the query" };
    }
    return {
      kind: "filter",
      filter: { field: field.name, operator: "all_of", values: [...new Set(values)] },
    };
  }
  const kind = kindOf(value);
  if (kind === null) return { kind: "none", why: "A document cannot be a filter of the query" };
  if (field !== undefined && FINDS[field.value_type].includes(kind) && isTyped(text, field.value_type)) {
    return { kind: "filter", filter: { field: field.name, operator: "any_of", values: [text] } };
  }
  return { kind: "match", path, value };
}

/** An advanced match with one more condition. What was typed stays as it is: only its writer knows its syntax. */
export function withMatch(advanced: string, path: string, value: unknown): string {
  const condition = JSON.stringify({ [path]: value });
  const before = advanced.trim();
  if (before === "") return condition;
  const listed = /^\{\s*"\$and"\s*:\s*\[[\s\S]*\]\s*\}$/.test(before) ? read(before) : undefined;
  if (isObject(listed) && Object.keys(listed).length === 1) {
    return `${before.replace(/\s*\]\s*\}$/, "")},\n  ${condition}\n]}`;
  }
  // A comment at its end would hide what follows on the same line.
  return `{"$and": [\n  ${before}\n  , ${condition}\n]}`;
}

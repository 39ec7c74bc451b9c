// How the entries of the list of cached queries are called, short enough for a list.

import type { CachedQuery } from "../backend";
import { describeFilters } from "./filters";

/** More characters than this are summarised: an entry is to be read at a glance. */
const LONG_NAME = 120;

/** Values of one condition that a summary names; the others are counted. */
const NAMED_VALUES = 3;

/** A text of bounded length. */
export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** "product: Brent, Gas, WTI and 497 more": the filters, or the signature of a file that cannot be read. */
export function cachedName(query: CachedQuery): string {
  if (query.failure !== null) return `Query ${shortSignature(query)}`;
  if (query.filters.length <= LONG_NAME || query.form === null) return cutText(query.filters, LONG_NAME);
  return cutText(describeFilters(query.form, NAMED_VALUES), 2 * LONG_NAME);
}

/** Enough of a signature to tell two queries apart. */
export function shortSignature({ signature }: Pick<CachedQuery, "signature">): string {
  return signature.slice(0, 8);
}

/**
 * The signatures of queries that another one equals in source and filters. What else a signature counts, and what
 * the list does not show, is the mapping.
 */
export function alike(queries: readonly CachedQuery[]): ReadonlySet<string> {
  const by = new Map<string, string[]>();
  for (const { source, filters, signature, failure } of queries) {
    if (failure !== null) continue;
    const key = JSON.stringify([source, filters]);
    by.set(key, [...(by.get(key) ?? []), signature]);
  }
  return new Set([...by.values()].filter((signatures) => signatures.length > 1).flat());
}

// The names of cached queries, short enough for a list.

import type { CachedQuery } from "../backend";
import { cutText, hasWords, plural } from "../controls/format";

/** Longer names are summarised: an entry has to be readable at a glance. */
const LONG_NAME = 120;

/** "product: Brent, Gas, WTI and 497 more": the filters, or the signature of a file that cannot be read. */
export function cachedName(query: CachedQuery): string {
  if (query.failure !== null) return unnamedText(query);
  if (query.filters.length <= LONG_NAME) return query.filters;
  return cutText(query.summary, 2 * LONG_NAME);
}

/** The name of a query of which only the signature is known. */
export function unnamedText(query: Pick<CachedQuery, "signature">): string {
  return `Query ${shortSignature(query)}`;
}

/** Enough of a signature to tell two queries apart. */
export function shortSignature({ signature }: Pick<CachedQuery, "signature">): string {
  return signature.slice(0, 8);
}

/**
 * The signatures of queries that have the same source and filters as another query. They differ in the mapping, which
 * the list does not show otherwise.
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

/** "57 trades, 173 messages cached". */
export function heldRowsText(query: Pick<CachedQuery, "input_rows" | "downstream_rows">): string {
  return `${plural(query.input_rows, "trade")}, ${plural(query.downstream_rows, "message")} cached`;
}

/** Why this number can differ from that of the Messages tab. */
export const HELD_ROWS_HINT =
  "Counted per day, as stored. The Messages tab may show fewer: there, a message that belongs to several " +
  "trades or days counts once, and a message that is itself a trade is not listed again.";

/** What a query is called: the name that it was given, or its filters. */
export function titleOf(query: CachedQuery, names: Readonly<Record<string, string>>): string {
  return names[query.signature] ?? cachedName(query);
}

/** Whether a query has all the words that are typed: in its name, its filters, its source or its days. */
export function isFound(query: CachedQuery, names: Readonly<Record<string, string>>, typed: string): boolean {
  const days = query.held.map(({ from, to }) => `${from} ${to}`).join(" ");
  const text = [titleOf(query, names), query.filters, query.source, query.signature, days].join(" ");
  return hasWords(text, typed);
}

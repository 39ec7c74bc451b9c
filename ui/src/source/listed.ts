import type { CollectionEntry } from "../backend";

const KINDS: Record<CollectionEntry["kind"], string> = {
  collection: "",
  view: "view",
  time_series: "time series",
};

const about = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** What is known about a collection: "1.2M documents", "view". */
export function collectionDetail({ kind, documents }: CollectionEntry): string {
  // The count of a server is an estimate, so a long number would claim too much.
  const counted =
    documents === null ? "" : `${about.format(documents)} document${documents === 1 ? "" : "s"}`;
  return [KINDS[kind], counted].filter((part) => part !== "").join(", ");
}

/** The only name, if there is nothing to choose. */
export function onlyOne(names: readonly string[] | null): string | null {
  return names?.length === 1 ? (names[0] ?? null) : null;
}

import type { Confidence, Proposal, ProposedField, SeenPath, ValueType } from "../types";

const field = (
  key: string,
  title: string,
  path: string | null,
  confidence: Confidence,
  why: string[],
  examples: string[] = [],
): ProposedField => ({
  key,
  title,
  path,
  label: null,
  confidence,
  why,
  share: path === null ? 0 : 1,
  types: [],
  examples,
  others: [],
});

const path = (name: string, value_type: ValueType, examples: string[]): SeenPath => ({
  path: name,
  share: 1,
  value_type,
  types: [],
  examples,
});

/** What a collection of another desk may look like. */
export const proposal: Proposal = {
  mapping: {
    version: 2,
    day_zone: "Europe/Berlin",
    trade_id: "kopf.geschaeftsnummer",
    timestamp: { path: "kopf.handelszeit", form: "iso_text", zone: "UTC" },
    year: null,
    day_of_year: null,
    filters: { product: "produkt", cell: "buch", receiver: "gegenpartei", attribute: null },
  },
  fields: [
    field("trade_id", "Trade id", "kopf.geschaeftsnummer", "sure", ["its name says so"], ["70012", "70013"]),
    field(
      "timestamp",
      "Time of the trade",
      "kopf.handelszeit",
      "likely",
      ["dates as text in all of the documents"],
      ["2025-01-31T09:30:00Z"],
    ),
    field(
      "day_zone",
      "Time zone of the days",
      null,
      "unsure",
      ["nothing in the documents says in which zone days begin"],
      ["UTC"],
    ),
    field(
      "filters.product",
      "Filter: product",
      "produkt",
      "sure",
      ["its name says so"],
      ["Brent", "Gas TTF"],
    ),
    field("filters.attribute", "Filter: attribute", null, "likely", []),
  ],
  warnings: [
    {
      code: "no_day_index",
      message:
        "No index of trades begins with kopf.handelszeit, so each fetch reads the whole collection. An index makes it fast.",
      fix: 'db.getCollection("trades").createIndex({ "kopf.handelszeit": 1 })',
      choices: [],
    },
  ],
  further_filters: ["status"],
  collections: [],
  paths: [
    path("kopf.geschaeftsnummer", "text", ["70012", "70013"]),
    path("kopf.handelszeit", "date", ["2025-01-31T09:30:00Z"]),
    path("produkt", "text", ["Brent", "Gas TTF"]),
    path("buch", "text", ["DE-01", "UK-02"]),
    path("gegenpartei", "text", ["Nordwind AG"]),
    path("menge", "decimal", ["12.5", "40"]),
    path("status", "text", ["neu", "bestätigt"]),
  ],
  documents: 312,
};

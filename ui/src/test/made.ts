// Made-up answers and queries for tests.

import type {
  Answer,
  CachedQuery,
  Changes,
  ColumnSums,
  ConnectionDraft,
  ConnectionEdit,
  ConnectionForm,
  Failure,
  FailureTarget,
  DocumentChange,
  MappingPart,
  Proposal,
  QueryInput,
  RowDetail,
  SavedSource,
  SettingsView,
  SourceName,
} from "../backend";
import { BLANK_FORM } from "../backend/preview/connection";

export function makeQuery(part: Partial<QueryInput> = {}): QueryInput {
  return { from: "2025-01-01", to: "2025-01-31", filters: [], advanced: "", ...part };
}

export function makeSource(part: Partial<SourceName> = {}): SourceName {
  return { name: "trading.messages at db1", hosts: "db1", key: "a".repeat(32), has_user: false, ...part };
}

export function makeAnswer(part: Partial<Answer> = {}): Answer {
  return {
    signature: "5".repeat(32),
    source: makeSource(),
    filters: "product: Brent",
    answer: "cache",
    complete: true,
    days: {
      requested: 31,
      from_cache: 31,
      adopted: 0,
      fetched: 0,
      missing: [],
      why_missing: [],
      open: [],
      unverified: [],
    },
    rows: { input: 48_211, downstream: 144_633 },
    oldest_fetch: "2025-02-03T09:30:00Z",
    mongo_commands: 0,
    elapsed_ms: 40,
    changes: null,
    left_out: [],
    unmatched: [],
    notes: [],
    failure: null,
    ...part,
  };
}

/** An answer that lacks days. */
export function makePartial(missing: string[], part: Partial<Answer> = {}): Answer {
  return makeAnswer({
    answer: "offline",
    complete: false,
    days: {
      requested: 31,
      from_cache: 31 - missing.length,
      adopted: 0,
      fetched: 0,
      missing,
      why_missing: missing.map((day) => ({ day, why: "the source cannot be reached" })),
      unverified: [],
      open: [],
    },
    ...part,
  });
}

export function makeChange(part: Partial<DocumentChange> = {}): DocumentChange {
  return { kind: "added", role: "input", day: "2025-01-09", id: "66f", trade: "T-1", fields: [], ...part };
}

export function makeChanges(part: Partial<Changes> = {}): Changes {
  return {
    input: { added: 1, changed: 0, gone: 0 },
    downstream: { added: 0, changed: 0, gone: 0 },
    messages: [makeChange()],
    omitted: 0,
    ...part,
  };
}

export function makeCached(part: Partial<CachedQuery> = {}): CachedQuery {
  const held = { from: "2025-01-01", to: "2025-01-10" };
  return {
    signature: "7".repeat(32),
    source: makeSource().name,
    filters: "product: Brent",
    summary: "product: Brent",
    mapping: "days by year and day_of_year in UTC, trade id trade_id",
    form: makeQuery({ ...held, filters: [{ field: "product", operator: "any_of", values: ["Brent"] }] }),
    held: [held],
    days: 10,
    open_days: 0,
    input_rows: 5,
    downstream_rows: 15,
    bytes: 1000,
    oldest_fetch: null,
    newest_fetch: null,
    pinned: false,
    last_used: null,
    failure: null,
    ...part,
  };
}

export function makeDetail(part: Partial<RowDetail> = {}): RowDetail {
  return { generation: 1, relaxed: "{}", canonical: "{}", fetched: null, day: "2025-01-31", ...part };
}

/** Sums of the two rows that the fake backend has. */
export function makeSums(part: Partial<ColumnSums> = {}): ColumnSums {
  const none = { numbers: 0, sum: null, average: null, min: "a", max: "b" };
  return { generation: 1, rows: 2, filled: 2, distinct: 2, ...none, ...part };
}

export function makeFailure(
  code: Failure["code"],
  message: string,
  target: FailureTarget | null = null,
): Failure {
  return { code, message, next: "Do.", cause: "why", target };
}

export function makeProposal(part: Partial<Proposal> = {}): Proposal {
  return {
    mapping: { version: 1, trade_id: "dealNo" },
    fields: [
      {
        key: "trade_id",
        title: "Trade id",
        path: "dealNo",
        label: "Deal no",
        confidence: "sure",
        why: ["its name says so"],
        share: 1,
        types: [{ name: "string", share: 1 }],
        examples: ["D1", "D2"],
        others: [],
      },
    ],
    warnings: [],
    further_filters: [],
    paths: [
      {
        path: "dealNo",
        share: 1,
        value_type: "text",
        types: [{ name: "string", share: 1 }],
        examples: ["D1", "D2"],
      },
    ],
    collections: [],
    documents: 300,
    ...part,
  };
}

export function makePart(part: Partial<MappingPart> = {}): MappingPart {
  return {
    key: "trade_id",
    title: "Trade id",
    value: "dealNo",
    form: null,
    value_type: null,
    label: null,
    is_given: true,
    ...part,
  };
}

export function makeSaved(part: Partial<SavedSource> = {}): SavedSource {
  return {
    id: "1",
    name: "trading.messages",
    colour: "grey",
    profile: { uri: "mongodb://db1", database: "trading", collection: "messages", mapping: "" },
    secrets: "none",
    ...part,
  };
}

export function makeForm(part: Partial<ConnectionForm> = {}): ConnectionForm {
  return { ...BLANK_FORM, hosts: "db1:27017", ...part };
}

/** What the backend makes of an edit: the hosts, and a password that is taken out. The rest is the engine's. */
export function makeConnection(edit: ConnectionEdit): ConnectionDraft {
  const nothing = { database: null, passphrase: null, proxy_password: null, problems: [], warnings: [] };
  if (edit.by === "form") {
    return { uri: `mongodb://${edit.form.hosts}/`, form: edit.form, password: null, ...nothing };
  }
  const found = /^mongodb:\/\/(?:([^:@]*)(?::([^@]*))?@)?([^/?]*)(?:\/([^?]*))?/.exec(edit.uri);
  const [, user = "", password = null, hosts = "", named = ""] = found ?? [];
  const uri = password === null ? edit.uri : edit.uri.replace(`:${password}@`, "@");
  const form = found === null ? null : makeForm({ hosts, user, login: user === "" ? "none" : "password" });
  return { uri, form, password, ...nothing, database: named === "" ? null : named };
}

export function makeSettings(part: Partial<SettingsView> = {}): SettingsView {
  return {
    cache_folder: "/cache",
    cache_folder_is_fixed: null,
    memory_limit: null,
    default_memory_limit: 805_306_368,
    least_memory_limit: 268_435_456,
    theme: "system",
    zone: "days",
    file: "/settings/settings.json",
    notice: null,
    ...part,
  };
}

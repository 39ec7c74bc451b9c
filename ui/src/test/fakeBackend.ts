// A backend whose answers a test decides.

import { vi } from "vitest";

import type {
  Answer,
  Backend,
  Connection,
  ConnectionEdit,
  PageRequest,
  PlanView,
  QueryInput,
  RunEvent,
  SourceView,
} from "../backend";
import { addDays, dayCount } from "../backend/days";
import {
  makeAnswer,
  makeConnection,
  makeDetail,
  makeProposal,
  makeQuery,
  makeSaved,
  makeSettings,
  makeSource,
  makeSums,
} from "./made";
import { makeFound, makeTrade } from "./madeTrades";

export function makePlan(query: QueryInput, part: Partial<PlanView> = {}): PlanView {
  const length = dayCount(query.from, query.to);
  return {
    signature: "5".repeat(32),
    reachable: true,
    days: Array.from({ length }, (_, index) => ({
      day: addDays(query.from, index),
      state: "not_held",
      action: "fetch",
      why: null,
      input_rows: null,
      downstream_rows: null,
      fetched: null,
    })),
    counts: { requested: length, serve: 0, refresh: 0, fetch: length, adopt: 0, unavailable: 0 },
    windows: [{ from: query.from, to: query.to }],
    expected_rows: 48_000,
    sentence: `0 of ${length} days cached, ${length} to fetch, about 48,000 trades`,
    ...part,
  };
}

export interface Fake {
  backend: Backend;
  /** Changes the connection, as the background check does. */
  connection: (now: Connection) => void;
  /** Emits an event of the current run. */
  emit: (event: RunEvent) => void;
  /** Ends the current run. */
  finish: (answer: Answer) => void;
  fail: (why: unknown) => void;
}

export function makeFake(view: Partial<SourceView> = {}): Fake {
  let changed: (now: Connection) => void = () => undefined;
  let onEvent: (event: RunEvent) => void = () => undefined;
  let resolve: (answer: Answer) => void = () => undefined;
  let reject: (why: unknown) => void = () => undefined;
  const profile = { uri: "mongodb://db1", database: "trading", collection: "messages", mapping: "" };
  const source: SourceView = {
    sources: view.profile === null ? [] : [makeSaved({ profile })],
    in_use: view.profile === null ? null : "1",
    has_keychain: true,
    has_sample: false,
    profile,
    source: view.profile === null ? null : makeSource(),
    fields: [{ name: "product", path: "product", label: null, value_type: "text" }],
    day_zone: "Europe/London",
    zone_rules: "2026f (built in)",
    today: "2025-01-31",
    connection: { state: "online", round_trip_ms: 3, version: "8.0", unverified: null, warnings: [] },
    form: makeQuery(),
    cache_folder: "/cache",
    ...view,
  };
  const backend: Backend = {
    sourceView: vi.fn(() => Promise.resolve(source)),
    connect: vi.fn(() => Promise.resolve(source)),
    saveSource: vi.fn(() => Promise.resolve(source)),
    useSource: vi.fn(() => Promise.resolve(source)),
    deleteSource: vi.fn(() => Promise.resolve(source)),
    trySample: vi.fn(() => Promise.resolve(source)),
    testSource: vi.fn(() => Promise.resolve({ steps: [], failure: null, report: "" })),
    listDatabases: vi.fn(() => Promise.resolve(["trading"])),
    listCollections: vi.fn(() =>
      Promise.resolve([{ name: "messages", kind: "collection" as const, documents: 1_200 }]),
    ),
    proposeMapping: vi.fn(() => Promise.resolve(makeProposal())),
    editConnection: vi.fn((edit: ConnectionEdit) => Promise.resolve(makeConnection(edit))),
    changeMapping: vi.fn((text: string) => Promise.resolve({ text, parts: [], problem: null })),
    chooseFile: vi.fn(() => Promise.resolve(null)),
    settings: vi.fn(() => Promise.resolve(makeSettings())),
    changeSettings: vi.fn(() => Promise.resolve(makeSettings())),
    moveCache: vi.fn(() => Promise.resolve(null)),
    openRequest: vi.fn(() => Promise.resolve(null)),
    onOpenRequest: () => () => undefined,
    cancelConnect: vi.fn(() => Promise.resolve()),
    onConnection: (listener) => {
      changed = listener;
      return () => undefined;
    },
    plan: vi.fn((query: QueryInput) => Promise.resolve(makePlan(query))),
    fetch: vi.fn((_id, _query, _mode, listener: (event: RunEvent) => void) => {
      onEvent = listener;
      return new Promise<Answer>((yes, no) => {
        resolve = yes;
        reject = no;
      });
    }),
    cancel: vi.fn(() => Promise.resolve()),
    answer: vi.fn(() => Promise.resolve(makeAnswer({ answer: "offline" }))),
    viewShape: vi.fn(() =>
      Promise.resolve({
        columns: [{ path: "_id", label: null, types: ["object_id"], numeric: false }],
        rows: 2,
        generation: 1,
        reading_order: [0],
        time_column: null,
        trade_column: null,
        status_column: null,
      }),
    ),
    page: vi.fn((_key, _rows, { offset }: PageRequest) =>
      Promise.resolve({ offset, rows: [["a"], ["b"]], generation: 1 }),
    ),
    rowDetail: vi.fn(() => Promise.resolve(makeDetail())),
    rowCount: vi.fn(() => Promise.resolve({ generation: 1, rows: 1, of: 2 })),
    findRow: vi.fn(() => Promise.resolve({ generation: 1, position: null, number: null, total: 0 })),
    columnValues: vi.fn(() => Promise.resolve({ generation: 1, values: [], further: 0, empty: 0 })),
    columnSums: vi.fn(() => Promise.resolve(makeSums())),
    groupRows: vi.fn(() => Promise.resolve({ generation: 1, groups: [], total: 0 })),
    sqlTables: vi.fn(() => Promise.resolve([])),
    runSql: vi.fn(() => Promise.resolve({ id: 1, columns: [], rows: 0, elapsed_ms: 1 })),
    sqlPage: vi.fn(() => Promise.resolve({ rows: [] })),
    closeSql: vi.fn(() => Promise.resolve()),
    rowTrades: vi.fn(() => Promise.resolve({ generation: 1, trades: [makeTrade()] })),
    findCachedTrades: vi.fn(() => Promise.resolve(makeFound())),
    findSourceTrades: vi.fn(() => Promise.resolve(makeFound({ found: [], not_found: ["T1", "T9"] }))),
    cancelRows: vi.fn(() => Promise.resolve()),
    suggest: vi.fn(() => Promise.resolve({ values: [], is_coming: false })),
    exportRows: vi.fn(() => Promise.resolve(null)),
    exportGroups: vi.fn(() => Promise.resolve(null)),
    exportSql: vi.fn(() => Promise.resolve(null)),
    cancelExport: vi.fn(() => Promise.resolve()),
    pipeline: vi.fn(() => Promise.resolve("[]")),
    cachedPipeline: vi.fn(() => Promise.resolve("[]")),
    copyText: vi.fn(() => Promise.resolve()),
    cachedQueries: vi.fn(() => Promise.resolve([])),
    forget: vi.fn(() => Promise.resolve()),
    cacheUsage: vi.fn(() => Promise.resolve({ bytes: 1_800_000_000, budget: 20_000_000_000, queries: 2 })),
    previewEviction: vi.fn(() => Promise.resolve({ queries: [], left: 0, newer: 0 })),
    setCacheBudget: vi.fn(() => Promise.resolve()),
    pinQuery: vi.fn(() => Promise.resolve()),
    rememberForm: vi.fn(() => Promise.resolve()),
    showLogs: vi.fn(() => Promise.resolve()),
    logProblem: vi.fn(() => Promise.resolve()),
  };
  return {
    backend,
    connection: (now) => changed(now),
    emit: (event) => onEvent(event),
    finish: (answer) => resolve(answer),
    fail: (why) => reject(why),
  };
}

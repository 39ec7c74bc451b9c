// The one door to the desktop side. Nothing else in the window imports Tauri.

import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type {
  Answer,
  CachedQuery,
  CacheUsage,
  CollectionEntry,
  ColumnSums,
  ColumnValues,
  Connection,
  ConnectionDraft,
  ConnectionEdit,
  ExportOptions,
  Day,
  EvictionPreview,
  Exported,
  ExportProgress,
  Failure,
  FetchMode,
  FoundText,
  GroupRequest,
  Groups,
  FoundTrades,
  MappingChange,
  MappingView,
  OpenRequest,
  Page,
  PageRequest,
  PlanView,
  Proposal,
  QueryInput,
  Role,
  RowCount,
  RowDetail,
  RowQuery,
  RowTrades,
  RunEvent,
  SettingsChange,
  SettingsView,
  SourceDraft,
  SourceTest,
  SourceView,
  SqlPage,
  SqlResult,
  SqlSort,
  SqlTable,
  Suggested,
  TestEvent,
  TypedSecrets,
  ViewKey,
  ViewShape,
} from "./types";

export type * from "./types";

/** What the window can ask of the desktop side. Every promise rejects with a `Failure`. */
export interface Backend {
  sourceView(): Promise<SourceView>;
  /** Tries what a fetch needs, then saves the source and makes it the one in use. If that fails, nothing changes. */
  connect(connectId: number, draft: SourceDraft, secrets: TypedSecrets): Promise<SourceView>;
  /** Saves the source without reaching it. */
  saveSource(draft: SourceDraft, secrets: TypedSecrets): Promise<SourceView>;
  /** Makes a saved source the one in use, without waiting for it. */
  useSource(id: string): Promise<SourceView>;
  /** Deletes a source and its secrets. What is cached of it stays. */
  deleteSource(id: string): Promise<SourceView>;
  /** Adds the sample desk as a source and uses it. */
  trySample(): Promise<SourceView>;
  /** Tests a source step by step. `cancelConnect` stops it. Rejects only if the draft itself cannot be used. */
  testSource(
    connectId: number,
    draft: SourceDraft,
    secrets: TypedSecrets,
    onEvent: (event: TestEvent) => void,
  ): Promise<SourceTest>;
  /** The names of the databases. Rejects with `not_authorized` if the user may not list them. */
  listDatabases(connectId: number, draft: SourceDraft, secrets: TypedSecrets): Promise<string[]>;
  /** The collections of the draft's database, with about how many documents they have. */
  listCollections(connectId: number, draft: SourceDraft, secrets: TypedSecrets): Promise<CollectionEntry[]>;
  /** Proposes a mapping from the source's documents. `cancelConnect` stops it, too. */
  proposeMapping(connectId: number, draft: SourceDraft, secrets: TypedSecrets): Promise<Proposal>;
  /** Stops connecting, testing, listing and proposing. */
  cancelConnect(connectId: number): Promise<void>;
  /** Follows a change of the connection string's text or form with the other. */
  editConnection(edit: ConnectionEdit): Promise<ConnectionDraft>;
  /** Changes one part of a mapping file. */
  changeMapping(text: string, change: MappingChange): Promise<MappingView>;
  /** Asks for a file, such as a certificate. Null if the dialog was dismissed. */
  chooseFile(): Promise<string | null>;
  settings(): Promise<SettingsView>;
  changeSettings(change: SettingsChange): Promise<SettingsView>;
  /** Asks for a folder and moves the cache there. Null if the dialog was dismissed. */
  moveCache(): Promise<SettingsView | null>;
  /** What the command line asks to be shown, once; null if nothing. */
  openRequest(): Promise<OpenRequest | null>;
  /** Calls back whenever a further start of the program asks for something; the source in use may have changed. */
  onOpenRequest(asked: () => void): () => void;
  /** Calls back whenever the connection changes; the returned function unsubscribes. */
  onConnection(changed: (connection: Connection) => void): () => void;
  plan(query: QueryInput): Promise<PlanView>;
  fetch(
    runId: number,
    query: QueryInput,
    mode: FetchMode,
    onEvent: (event: RunEvent) => void,
  ): Promise<Answer>;
  cancel(runId: number): Promise<void>;
  /** What the cache holds of a query now. Needs no server. */
  answer(key: ViewKey): Promise<Answer>;
  viewShape(key: ViewKey, role: Role): Promise<ViewShape>;
  page(key: ViewKey, rows: RowQuery, page: PageRequest): Promise<Page>;
  rowDetail(key: ViewKey, rows: RowQuery, position: number): Promise<RowDetail>;
  /** How many rows a row query selects. `cancelRows` stops this and what follows by their ids. */
  rowCount(key: ViewKey, rows: RowQuery, requestId: number): Promise<RowCount>;
  /** The next row with a text, from a position on, which is included. */
  findRow(
    key: ViewKey,
    rows: RowQuery,
    text: string,
    from: number,
    forwards: boolean,
    requestId: number,
  ): Promise<FoundText>;
  /** The values of a column that contain a text, with how many rows have them. */
  columnValues(
    key: ViewKey,
    rows: RowQuery,
    path: string,
    contains: string,
    limit: number,
    requestId: number,
  ): Promise<ColumnValues>;
  /** What a column adds up to. */
  columnSums(key: ViewKey, rows: RowQuery, path: string, requestId: number): Promise<ColumnSums>;
  /** Groups of rows, with how many rows each has. */
  groupRows(key: ViewKey, rows: RowQuery, request: GroupRequest, requestId: number): Promise<Groups>;
  /** The tables that SQL can read of an answer. */
  sqlTables(key: ViewKey): Promise<SqlTable[]>;
  /** Runs SQL on the rows that the queries select, one per role at most, and keeps the result. */
  runSql(key: ViewKey, narrowed: RowQuery[], text: string, requestId: number): Promise<SqlResult>;
  /** Rows of a result, in the order of the statement unless there are sorts. */
  sqlPage(
    key: ViewKey,
    id: number,
    sorts: SqlSort[],
    offset: number,
    limit: number,
    requestId: number,
  ): Promise<SqlPage>;
  /** Drops a result. */
  closeSql(key: ViewKey, id: number): Promise<void>;
  /** The trades of a row, each with all of its documents. */
  rowTrades(key: ViewKey, rows: RowQuery, position: number, requestId: number): Promise<RowTrades>;
  /** Finds trades by a list of their ids in all cached queries. `open` is the answer that is shown. */
  findCachedTrades(list: string, open: ViewKey | null, requestId: number): Promise<FoundTrades>;
  /** Finds trades by a list of their ids at the source. */
  findSourceTrades(list: string, requestId: number): Promise<FoundTrades>;
  /** Stops a request for rows. Does nothing if it has been answered. */
  cancelRows(requestId: number): Promise<void>;
  suggest(field: string, prefix: string): Promise<Suggested>;
  /** Null if the file dialog was dismissed. */
  exportRows(
    exportId: number,
    key: ViewKey,
    rows: RowQuery,
    options: ExportOptions,
    onProgress: (progress: ExportProgress) => void,
  ): Promise<Exported | null>;
  /** Writes all groups of rows, whatever the limit of the request. Null if the file dialog was dismissed. */
  exportGroups(
    exportId: number,
    key: ViewKey,
    rows: RowQuery,
    groups: GroupRequest,
    options: ExportOptions,
    onProgress: (progress: ExportProgress) => void,
  ): Promise<Exported | null>;
  /** Null if the file dialog was dismissed. */
  exportSql(
    exportId: number,
    key: ViewKey,
    id: number,
    sorts: SqlSort[],
    options: ExportOptions,
    onProgress: (progress: ExportProgress) => void,
  ): Promise<Exported | null>;
  cancelExport(exportId: number): Promise<void>;
  pipeline(query: QueryInput): Promise<string>;
  /** The pipeline of a cached query, whichever source is active. */
  cachedPipeline(key: ViewKey): Promise<string>;
  copyText(text: string): Promise<void>;
  cachedQueries(): Promise<CachedQuery[]>;
  forget(signature: string, from: Day | null, to: Day | null): Promise<void>;
  cacheUsage(): Promise<CacheUsage>;
  /** What a budget would evict now. Evicts nothing. */
  previewEviction(bytes: number): Promise<EvictionPreview>;
  /** Evicts unpinned queries, the least recently used first, until the cache fits. */
  setCacheBudget(bytes: number): Promise<void>;
  pinQuery(signature: string, pinned: boolean): Promise<void>;
  rememberForm(query: QueryInput): Promise<void>;
  /** Shows the folder of the log files in the system's file manager. */
  showLogs(): Promise<void>;
  /** Logs a problem of the window itself. */
  logProblem(what: string): Promise<void>;
}

/** Turns whatever a promise was rejected with into a failure that can be shown. */
export function toFailure(error: unknown): Failure {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    const failure = error as Failure;
    return {
      ...failure,
      next: failure.next ?? "",
      cause: failure.cause ?? null,
      target: failure.target ?? null,
    };
  }
  return {
    code: "internal",
    message: "Something went wrong inside Tidemark.",
    next: "Try again; if it happens again, restart Tidemark.",
    cause: error instanceof Error ? error.message : String(error),
    target: null,
  };
}

function channel<T>(onMessage: (message: T) => void): Channel<T> {
  const made = new Channel<T>();
  made.onmessage = onMessage;
  return made;
}

function subscribe<T>(name: string, onEvent: (payload: T) => void): () => void {
  // `listen` resolves after this function returns, so unsubscribing waits for it.
  const stop = listen<T>(name, (event) => onEvent(event.payload));
  return () => void stop.then((unlisten) => unlisten());
}

function desktop(): Backend {
  return {
    sourceView: () => invoke("source_view"),
    connect: (connectId, draft, secrets) => invoke("connect", { connectId, draft, secrets }),
    saveSource: (draft, secrets) => invoke("save_source", { draft, secrets }),
    useSource: (id) => invoke("use_source", { id }),
    deleteSource: (id) => invoke("delete_source", { id }),
    trySample: () => invoke("try_sample"),
    testSource: (connectId, draft, secrets, onEvent) =>
      invoke("test_source", { connectId, draft, secrets, events: channel(onEvent) }),
    listDatabases: (connectId, draft, secrets) => invoke("list_databases", { connectId, draft, secrets }),
    listCollections: (connectId, draft, secrets) => invoke("list_collections", { connectId, draft, secrets }),
    proposeMapping: (connectId, draft, secrets) => invoke("propose_mapping", { connectId, draft, secrets }),
    cancelConnect: (connectId) => invoke("cancel_connect", { connectId }),
    editConnection: (edit) => invoke("edit_connection", { edit }),
    changeMapping: (text, change) => invoke("change_mapping", { text, change }),
    chooseFile: () => invoke("choose_file"),
    settings: () => invoke("settings"),
    changeSettings: (change) => invoke("change_settings", { change }),
    moveCache: () => invoke("move_cache"),
    openRequest: () => invoke("open_request"),
    onOpenRequest: (asked) => subscribe("open", asked),
    onConnection: (changed) => subscribe<Connection>("connection", changed),
    plan: (query) => invoke("plan", { query }),
    fetch: (runId, query, mode, onEvent) => invoke("fetch", { runId, query, mode, events: channel(onEvent) }),
    cancel: (runId) => invoke("cancel", { runId }),
    answer: (key) => invoke("answer", { key }),
    viewShape: (key, role) => invoke("view_shape", { key, role }),
    async page(key, rows, page) {
      // Raw bytes: a page is decoded once, here, and is not wrapped in JSON a second time in transit.
      const bytes = await invoke<ArrayBuffer>("page", { key, rows, page });
      return JSON.parse(new TextDecoder().decode(bytes)) as Page;
    },
    rowDetail: (key, rows, position) => invoke("row_detail", { key, rows, position }),
    rowCount: (key, rows, requestId) => invoke("row_count", { key, rows, requestId }),
    findRow: (key, rows, text, from, forwards, requestId) =>
      invoke("find_row", { key, rows, text, from, forwards, requestId }),
    columnValues: (key, rows, path, contains, limit, requestId) =>
      invoke("column_values", { key, rows, path, contains, limit, requestId }),
    columnSums: (key, rows, path, requestId) => invoke("column_sums", { key, rows, path, requestId }),
    groupRows: (key, rows, request, requestId) => invoke("group_rows", { key, rows, request, requestId }),
    sqlTables: (key) => invoke("sql_tables", { key }),
    runSql: (key, narrowed, text, requestId) => invoke("run_sql", { key, narrowed, text, requestId }),
    sqlPage: (key, id, sorts, offset, limit, requestId) =>
      invoke("sql_page", { key, id, sorts, offset, limit, requestId }),
    closeSql: (key, id) => invoke("close_sql", { key, id }),
    rowTrades: (key, rows, position, requestId) => invoke("row_trades", { key, rows, position, requestId }),
    findCachedTrades: (list, open, requestId) => invoke("find_cached_trades", { list, open, requestId }),
    findSourceTrades: (list, requestId) => invoke("find_source_trades", { list, requestId }),
    cancelRows: (requestId) => invoke("cancel_rows", { requestId }),
    suggest: (field, prefix) => invoke("suggest", { field, prefix }),
    exportRows: (exportId, key, rows, options, onProgress) =>
      invoke("export_rows", { exportId, key, rows, options, events: channel(onProgress) }),
    exportGroups: (exportId, key, rows, groups, options, onProgress) =>
      invoke("export_rows", { exportId, key, rows, groups, options, events: channel(onProgress) }),
    exportSql: (exportId, key, id, sorts, options, onProgress) =>
      invoke("export_sql", { exportId, key, id, sorts, options, events: channel(onProgress) }),
    cancelExport: (exportId) => invoke("cancel_export", { exportId }),
    pipeline: (query) => invoke("pipeline", { query }),
    cachedPipeline: (key) => invoke("cached_pipeline", { key }),
    copyText: (text) => invoke("copy_text", { text }),
    cachedQueries: () => invoke("cached_queries"),
    forget: (signature, from, to) => invoke("forget", { signature, from, to }),
    cacheUsage: () => invoke("cache_usage"),
    previewEviction: (bytes) => invoke("preview_eviction", { bytes }),
    setCacheBudget: (bytes) => invoke("set_cache_budget", { bytes }),
    pinQuery: (signature, pinned) => invoke("pin_query", { signature, pinned }),
    rememberForm: (query) => invoke("remember_form", { query }),
    showLogs: () => invoke("show_logs"),
    logProblem: (what) => invoke("log_problem", { what }),
  };
}

/** The desktop side, or, in an ordinary browser while developing, an imitation of it. */
export async function openBackend(): Promise<Backend> {
  // `import.meta.env.DEV` is a build-time constant, so the product does not contain the preview.
  if (import.meta.env.DEV && !isTauri()) {
    const { previewBackend } = await import("./preview");
    return previewBackend();
  }
  return desktop();
}

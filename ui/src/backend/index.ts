// The one door to the desktop side. Nothing else in the window imports Tauri.

import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type {
  Answer,
  CachedQuery,
  CacheUsage,
  Connection,
  CsvOptions,
  Day,
  EvictionPreview,
  Exported,
  ExportProgress,
  Failure,
  FetchMode,
  Page,
  PlanView,
  Proposal,
  QueryInput,
  Role,
  RowDetail,
  RowQuery,
  RunEvent,
  SourceProfile,
  SourceView,
  Suggested,
  ViewKey,
  ViewShape,
} from "./types";

export type * from "./types";

/** What the window can ask of the desktop side. Every promise rejects with a `Failure`. */
export interface Backend {
  sourceView(): Promise<SourceView>;
  connect(connectId: number, profile: SourceProfile, password: string | null): Promise<SourceView>;
  /** Proposes a mapping from the source's documents. `cancelConnect` stops it, too. */
  proposeMapping(connectId: number, profile: SourceProfile, password: string | null): Promise<Proposal>;
  /** Stops connecting. The active source stays, unless the new one is already active. */
  cancelConnect(connectId: number): Promise<void>;
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
  page(key: ViewKey, rows: RowQuery, offset: number, limit: number): Promise<Page>;
  rowDetail(key: ViewKey, rows: RowQuery, position: number): Promise<RowDetail>;
  suggest(field: string, prefix: string): Promise<Suggested>;
  /** Null if the file dialog was dismissed. */
  exportCsv(
    exportId: number,
    key: ViewKey,
    rows: RowQuery,
    options: CsvOptions,
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

function desktop(): Backend {
  return {
    sourceView: () => invoke("source_view"),
    connect: (connectId, profile, password) => invoke("connect", { connectId, profile, password }),
    proposeMapping: (connectId, profile, password) =>
      invoke("propose_mapping", { connectId, profile, password }),
    cancelConnect: (connectId) => invoke("cancel_connect", { connectId }),
    onConnection(changed) {
      // `listen` resolves after this function returns, so unsubscribing waits for it.
      const stop = listen<Connection>("connection", (event) => changed(event.payload));
      return () => void stop.then((unlisten) => unlisten());
    },
    plan: (query) => invoke("plan", { query }),
    fetch: (runId, query, mode, onEvent) => invoke("fetch", { runId, query, mode, events: channel(onEvent) }),
    cancel: (runId) => invoke("cancel", { runId }),
    answer: (key) => invoke("answer", { key }),
    viewShape: (key, role) => invoke("view_shape", { key, role }),
    async page(key, rows, offset, limit) {
      // Raw bytes: a page is decoded once, here, and is not wrapped in JSON a second time in transit.
      const bytes = await invoke<ArrayBuffer>("page", { key, rows, offset, limit });
      return JSON.parse(new TextDecoder().decode(bytes)) as Page;
    },
    rowDetail: (key, rows, position) => invoke("row_detail", { key, rows, position }),
    suggest: (field, prefix) => invoke("suggest", { field, prefix }),
    exportCsv: (exportId, key, rows, options, onProgress) =>
      invoke("export_csv", { exportId, key, rows, options, events: channel(onProgress) }),
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

// An imitation of the desktop side, for looking at the window in an ordinary browser. Development only.
// The address chooses a scene: ?scene=running|done|partial|offline|unverified|empty&rows=5000000&theme=dark
// and how much a verification finds: &changes=700

import type { Answer, Connection, Failure, QueryInput, Role, SourceView, ViewKey } from "../types";
import type { Backend } from "..";
import { askedCalls } from "./asked";
import { exportCalls } from "./exports";
import { sqlCalls } from "./sql";
import { tradeCalls } from "./trades";
import { makeChanges } from "./changes";
import { addDays } from "../days";
import { rowOrder } from "./order";
import { columnsOf, makeRow, SUGGESTIONS } from "./rows";
import { settingsCalls } from "./settings";
import { PreviewSources, sourceCalls } from "./sources";
import { invalid, PreviewStore, sourceName, TODAY, unreachable } from "./store";
import { filtersText } from "./words";
import { wait } from "./wait";

function seed(store: PreviewStore, form: QueryInput): void {
  for (let back = 3; back <= 24; back += 1) {
    store.hold(form, addDays(TODAY, -back), `${addDays(TODAY, -2)}T09:30:00Z`);
  }
  store.hold(form, TODAY);
  const wide: QueryInput = { ...form, filters: [] };
  for (let back = 40; back <= 420; back += 1) store.hold(wide, addDays(TODAY, -back), `${TODAY}T07:00:00Z`);
  const other: QueryInput = { ...form, filters: [{ field: "cell", operator: "any_of", values: ["UK-01"] }] };
  for (let back = 1; back <= 9; back += 1) store.hold(other, addDays(TODAY, -back), `${TODAY}T08:12:00Z`);
}

export function previewBackend(): Backend {
  const params = new URLSearchParams(location.search);
  const store = new PreviewStore();
  const form: QueryInput = {
    from: params.get("from") ?? addDays(TODAY, -29),
    to: params.get("to") ?? TODAY,
    filters: [
      { field: "product", operator: "any_of", values: ["Brent", "Dutch TTF", "Zürich Güter"] },
      { field: "receiver", operator: "exists", values: [] },
    ],
    advanced: "",
  };
  store.perDay = Math.round(Number(params.get("rows") ?? 66_000) / 30);
  seed(store, form);
  store.online = params.get("scene") !== "offline" && params.get("scene") !== "partial";
  const connection = (): Connection =>
    store.online
      ? { state: "online", round_trip_ms: 3, version: "8.0.4", unverified: null, warnings: [] }
      : { state: "offline", failure: unreachable() };
  const listeners = new Set<(connection: Connection) => void>();
  // Lets a developer cut the connection: `tidemark.online(false)` in the console.
  Object.assign(window, {
    tidemark: {
      online(on: boolean) {
        store.online = on;
        listeners.forEach((changed) => changed(connection()));
      },
    },
  });
  const cancelled = new Set<number>();
  // Without sources: ?scene=empty
  const sources = new PreviewSources(params.get("scene") === "empty");
  const follow = () => {
    const used = sources.profile;
    if (used !== null) store.source = sourceName(used);
  };
  follow();
  const order = rowOrder();
  const total = (key: ViewKey, role: Role) => {
    const { rows } = store.answer(key, 0, 0);
    return role === "input" ? rows.input : rows.downstream;
  };
  const calendar = (key: ViewKey) => store.calendar(key);
  const rowsMade = { order, total, calendar, generation: () => store.generation };
  const view = (): SourceView => ({
    sources: sources.sources,
    in_use: sources.used,
    has_keychain: params.get("keychain") !== "none",
    has_sample: true,
    profile: sources.profile,
    source: sources.profile === null ? null : store.source,
    fields: [
      ...["product", "cell", "receiver", "attribute", "relatedDispatcher", "relatedAttributes"].map(
        (name) => ({
          name,
          path: name,
          label: null,
          value_type: "text" as const,
        }),
      ),
      { name: "quantity", path: "quantity", label: null, value_type: "decimal" as const },
    ],
    day_zone: "Europe/London",
    zone_rules: "2026f (built in)",
    today: TODAY,
    connection: sources.profile === null ? { state: "not_configured" } : connection(),
    form,
    cache_folder: "~/.local/share/tidemark/cache",
  });
  // Failures cross as plain data, as the desktop side sends them.
  const refuse = (failure: Failure) => Promise.reject(failure);

  async function run(
    id: number,
    query: QueryInput,
    mode: string,
    onEvent: Parameters<Backend["fetch"]>[3],
  ): Promise<Answer> {
    const plan = store.plan(query);
    const key = { signature: plan.signature, from: query.from, to: query.to };
    const wanted = plan.days.filter(
      (day) => day.action === "fetch" || day.action === "refresh" || day.action === "adopt",
    );
    const settled = plan.days.filter((day) => day.action === "serve" && (day.input_rows ?? 0) > 0);
    const doubtful = params.get("scene") === "unverified" ? settled.slice(-3) : [];
    const differing = mode === "verify" && doubtful.length === 0 ? settled.slice(0, 2) : [];
    const pull =
      mode === "refresh"
        ? plan.days.filter((day) => day.action !== "unavailable")
        : [...differing, ...wanted];
    // The check comes before the plan.
    if (mode === "verify") await wait(params.get("scene") === "running" ? 20_000 : 900);
    const expected = pull.reduce((sum, day) => sum + store.rowsOf(day.day), 0);
    onEvent({
      event: "planned",
      signature: plan.signature,
      filters: filtersText(query),
      days_to_pull: pull.length,
      days_cached: plan.counts.serve + plan.counts.refresh,
      days_to_adopt: plan.counts.adopt,
      windows: 2,
      expected_rows: expected,
    });
    let rows = 0;
    for (const [index, day] of pull.entries()) {
      for (let step = 1; step <= 5; step += 1) {
        await wait(params.get("scene") === "running" ? 700 : 40);
        if (cancelled.has(id)) {
          onEvent({ event: "cancelled" });
          return store.answer(key, index, 4);
        }
        rows += Math.round(store.rowsOf(day.day) / 5);
        onEvent({
          event: "progress",
          rows,
          expected_rows: expected,
          days_done: index,
          days_total: pull.length,
          rows_per_second: 41_250,
          remaining_ms: (pull.length - index) * 1200,
        });
        onEvent({
          event: "downstream_progress",
          rows: rows * 2,
          trades_asked: rows,
          trades_done: Math.round(rows * 0.66),
        });
      }
      store.hold(query, day.day, new Date(`${TODAY}T15:42:10Z`).toISOString());
      const now = store.plan(query);
      onEvent({
        event: "chunk_stored",
        from: day.day,
        to: day.day,
        input_rows: 10,
        downstream_rows: 30,
        days: now.days.filter((view) => view.day === day.day).map((view) => ({ ...view, action: "serve" })),
        sentence: now.sentence,
      });
    }
    const answer = store.answer(
      key,
      pull.length,
      pull.length === 0 ? 0 : 12,
      store.online ? undefined : "offline",
    );
    if (mode !== "normal") {
      const days = (differing.length > 0 ? differing : pull).map(({ day }) => day);
      answer.changes = doubtful.length > 0 ? null : makeChanges(days, Number(params.get("changes") ?? 13));
    }
    if (mode === "verify") {
      answer.days.unverified = doubtful.map(({ day }) => day);
      answer.notes.unshift(
        doubtful.length > 0
          ? `${doubtful.length} cached days could not be checked against the server.`
          : `Checked ${settled.length} cached days against the server: 2 differed and were fetched again.`,
      );
    }
    onEvent({ event: "finished" });
    return answer;
  }

  return {
    sourceView: () => Promise.resolve(view()),
    ...sourceCalls(sources, () => store.online, view, follow),
    ...settingsCalls(),
    onConnection(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    async plan(query) {
      await wait(60);
      const check = invalid(query);
      return check ? refuse(check) : store.plan(query);
    },
    fetch: (id, query, mode, onEvent) => run(id, query, mode, onEvent),
    cancel: (id) => Promise.resolve(void cancelled.add(id)),
    answer: (key) => Promise.resolve(store.answer(key, 0, 0, "offline")),
    viewShape(key, role) {
      return Promise.resolve({
        columns: columnsOf(role),
        rows: total(key, role),
        generation: store.generation,
        reading_order: [
          ...columnsOf(role)
            .map((_, place) => place)
            .slice(1),
          0,
        ],
        time_column: "timestamp",
        trade_column: "trade_id",
        status_column: null,
      });
    },
    async page(key, rows, { offset, limit, columns }) {
      await wait(15);
      const calendar = store.calendar(key);
      const { length, at } = order(rows, total(key, rows.role), calendar);
      const size = Math.max(0, Math.min(limit, length - offset));
      const paths = columnsOf(rows.role).map(({ path }) => path);
      return {
        offset,
        rows: Array.from({ length: size }, (_, index) => {
          const row = makeRow(rows.role, at(offset + index), calendar);
          return columns === null ? row : columns.map((path) => row[paths.indexOf(path)] ?? null);
        }),
        generation: store.generation,
      };
    },
    rowDetail(key, rows, position) {
      const calendar = store.calendar(key);
      const { at } = order(rows, total(key, rows.role), calendar);
      const row = makeRow(rows.role, at(position), calendar);
      const shape = columnsOf(rows.role);
      const document = Object.fromEntries(shape.map((column, index) => [column.path, row[index]]));
      const typed = shape.map((column, index) => [
        column.path,
        column.numeric ? { $numberDecimal: row[index] } : row[index],
      ]);
      return Promise.resolve({
        generation: store.generation,
        relaxed: JSON.stringify(document, null, 2),
        canonical: JSON.stringify(Object.fromEntries(typed), null, 2),
        fetched: `${TODAY}T15:42:10Z`,
        day: (row[2] ?? TODAY).slice(0, 10),
      });
    },
    ...tradeCalls(rowsMade),
    ...askedCalls(rowsMade),
    ...sqlCalls(rowsMade, () => store.online),
    async suggest(field, prefix) {
      await wait(60);
      const wanted = prefix.toLowerCase();
      const values = (SUGGESTIONS[field] ?? []).filter((value) => value.toLowerCase().startsWith(wanted));
      return { values, is_coming: false };
    },
    ...exportCalls(() => store.online),
    pipeline: (query) =>
      Promise.resolve(
        JSON.stringify([{ $match: { filters: query.filters, from: query.from, to: query.to } }], null, 2),
      ),
    cachedPipeline: (key) => Promise.resolve(JSON.stringify([{ $match: key }], null, 2)),
    copyText: () => Promise.resolve(),
    cachedQueries: () => Promise.resolve(store.cached()),
    async forget(signature) {
      if (!store.entries.delete(signature))
        await refuse({ ...unreachable(), code: "not_cached", message: "The cache holds no such query." });
    },
    cacheUsage: () => Promise.resolve(store.usage()),
    previewEviction: (bytes) => Promise.resolve(store.wouldEvict(bytes)),
    setCacheBudget: (bytes) => Promise.resolve(store.setBudget(bytes)),
    async pinQuery(signature, pinned) {
      const entry = store.entries.get(signature);
      if (entry) entry.pinned = pinned;
      else await refuse({ ...unreachable(), code: "not_cached", message: "The cache holds no such query." });
    },
    rememberForm: () => Promise.resolve(),
    showLogs: () =>
      refuse({
        ...unreachable(),
        code: "export_failed",
        message: "The folder of the log files could not be opened.",
        next: "The files are in ~/.local/state/tidemark/logs.",
      }),
    logProblem: (what) => Promise.resolve(console.error(what)),
  };
}

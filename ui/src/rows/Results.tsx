import { lazy, type RefObject, Suspense, useCallback, useEffect, useMemo, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";

import type { ColumnFilter, Role, Sort, ViewKey, ViewShape } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { count } from "../controls/format";
import { localZone } from "../controls/localZone";
import { useStored } from "../controls/useStored";
import { ColumnChooser } from "./ColumnChooser";
import { ExportButton } from "./ExportButton";
import { exportBlocked } from "./exportBlocked";
import { ExportStatus } from "./ExportStatus";
import { activeDays, type DaysNarrowing } from "./days";
import { FilterChips } from "./FilterChips";
import { filterCells } from "./filterFields";
import { activeFilters, filtersFor, NO_FILTERS, withFilters } from "./filters";
import { LayoutPicker } from "./LayoutPicker";
import { SummaryPane } from "./summary/SummaryPane";
import { FilterToggle, NarrowedCount } from "./NarrowedCount";
import { RolePane } from "./RolePane";
import type { PaneCommands, RowsCommands } from "./rowsCommands";
import { SortMark } from "./SortMark";
import { NO_SORTS, sortsFor, withSorts } from "./sorts";
import type { Exporter } from "./useExport";
import { useSql } from "./sql/useSql";
import { useSqlRows } from "./sql/useSqlRows";
import { useGrouping } from "./summary/useGrouping";
import { useNarrowed } from "./useNarrowed";
import { type ResultsTab, useResultsTab } from "./useResultsTab";
import { useLayouts } from "./useLayouts";
import { type Target, useShapes } from "./useShapes";

/** Few traders write SQL. */
const SqlPane = lazy(() => import("./sql/SqlPane").then(({ SqlPane }) => ({ default: SqlPane })));

interface Props {
  target: Target;
  zone: string;
  /** Identifies the source of the rows: each source has layouts of its own. */
  source: string;
  /** The zone of the days. */
  dayZone: string;
  /** The answer is partial, and the rows must not look complete. */
  partial: boolean;
  /** The query has filters. */
  filtered: boolean;
  exporter: Exporter;
  /** The days that the rows of both tabs are narrowed to. */
  days: DaysNarrowing;
  /** Told which trades are shown, for what counts them by day; null if none are. */
  onTrades: (trades: Trades | null) => void;
  /** Set to the export function, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
  /** Set to what performs a command at the current cell, for the window's keys and its palette. */
  rowsRef: RefObject<RowsCommands | null>;
}

/** The trades of the answer under the filters of their columns, of all days. */
export interface Trades {
  key: ViewKey;
  stamp: string;
  shape: ViewShape;
  filters: ColumnFilter[];
}

const ROLES: { role: Role; label: string }[] = [
  { role: "input", label: "Trades" },
  { role: "downstream", label: "Messages" },
];

/** The rows of the answer, and what is asked of them, in tabs. */
export function Results(props: Props) {
  const { target, zone, source, dayZone, partial, filtered, exporter, days, onTrades, exportRef, rowsRef } =
    props;
  const { tab, role, setTab, setRole } = useResultsTab(target.key.signature);
  const isRows = tab === role;
  const zones = useMemo(() => ({ days: dayZone, local: localZone() }), [dayZone]);
  const paneRef = useRef<PaneCommands | null>(null);
  const [stored, store] = useStored("tidemark.sorts", NO_SORTS);
  const { shapes, failure, reload } = useShapes(target);
  const { signature } = target.key;
  const setters = useMemo(() => {
    const setter = (of: Role) => (by: Sort[]) => store(withSorts(stored, signature, of, by));
    return { input: setter("input"), downstream: setter("downstream") };
  }, [signature, stored, store]);
  // A sort by a column that this answer does not have is ignored.
  const shape = shapes?.[role] ?? null;
  const columns = shape?.columns;
  const { layouts, setLayouts, prefs, setPrefs } = useLayouts(source, role, shape);
  const sorts = useMemo(() => {
    const has = (path: string) => columns?.some((column) => column.path === path) ?? false;
    return sortsFor(stored, signature)[role].filter(({ path }) => has(path));
  }, [stored, signature, role, columns]);
  const [storedFilters, storeFilters] = useStored("tidemark.filters", NO_FILTERS);
  const [fieldsShown, showFields] = useStored("tidemark.filterRow", false);
  const viewKey = shapes?.key ?? target.key;
  const { from, to } = viewKey;
  const narrowing = useNarrowed({
    viewKey,
    role,
    shape,
    stamp: shapes?.stamp ?? "",
    held: filtersFor(storedFilters, signature)[role],
    days: useMemo(() => activeDays(days.held, { from, to }), [days.held, from, to]),
    setHeld: useCallback(
      (held) => storeFilters(withFilters(storedFilters, signature, role, held)),
      [storedFilters, storeFilters, signature, role],
    ),
    reload,
  });
  const { narrowed, wanted, mistakes } = narrowing;
  const fields = useMemo(
    () => ({ shown: fieldsShown, cells: filterCells(wanted, mistakes) }),
    [fieldsShown, wanted, mistakes],
  );
  const showSummary = useCallback((shown: boolean) => setTab(shown ? "summary" : role), [setTab, role]);
  const grouping = useGrouping({ role, shape, narrowing, showSummary });
  const { propose } = narrowing;
  const { held: heldDays, set: setDays } = days;
  const widen = useCallback(() => {
    if (heldDays !== null) setDays({ ...heldDays, off: true });
    propose(null, (held) => held.map(({ path, condition }) => ({ path, condition, off: true })));
  }, [heldDays, setDays, propose]);
  const sqlRows = useSqlRows(shapes, storedFilters, days.held);
  const sql = useSql(source, sqlRows);
  const { ask: askForSql } = sql;
  useEffect(() => {
    rowsRef.current = (command) => {
      if (command === "sql") askForSql();
      if (command === "summary" || command === "sql") setTab(command);
      else paneRef.current?.(command);
    };
    return () => {
      rowsRef.current = null;
    };
  }, [rowsRef, setTab, askForSql]);
  const noExport = exportBlocked({
    isLive: target.live,
    isWriting: exporter.state.status === "writing",
    hasShapes: shapes !== null,
    isNarrowed: narrowed !== null,
  });
  const trades = useMemo<Trades | null>(() => {
    if (shapes === null) return null;
    const { key, stamp, input } = shapes;
    const held = filtersFor(storedFilters, key.signature).input;
    return { key, stamp, shape: input, filters: activeFilters(held, input.columns) };
  }, [shapes, storedFilters]);
  useEffect(() => {
    onTrades(trades);
    return () => onTrades(null);
  }, [onTrades, trades]);

  // In a low window, or with large text, new rows are below its edge.
  const host = useRef<HTMLElement>(null);
  const arrived = target.live ? null : [signature, target.key.from, target.key.to].join();
  useEffect(() => {
    if (arrived !== null) host.current?.scrollIntoView?.({ block: "nearest" });
  }, [arrived]);

  return (
    <section
      ref={host}
      className="results"
      aria-label="Rows"
      data-region="rows"
      data-partial={partial || undefined}
    >
      <Tabs className="results-tabs" selectedKey={tab} onSelectionChange={(key) => setTab(key as ResultsTab)}>
        <div className="results-bar">
          <TabList className="tab-list" aria-label="Trades, messages, summary and SQL">
            {ROLES.map((entry) => (
              <Tab key={entry.role} id={entry.role} className="tab" data-testid={`tab-${entry.role}`}>
                {entry.label}{" "}
                <span
                  className="tab-count num"
                  data-testid={`row-count-${entry.role}`}
                  data-count={shapes?.[entry.role].rows}
                >
                  {shapes ? count(shapes[entry.role].rows) : "–"}
                </span>
              </Tab>
            ))}
            <Tab id="summary" className="tab" data-testid="tab-summary">
              Summary
            </Tab>
            <Tab id="sql" className="tab" data-testid="tab-sql">
              SQL
            </Tab>
          </TabList>
          {target.live && <span className="live-mark">rows so far</span>}
          {shape !== null && <NarrowedCount narrowing={narrowing} />}
          <div className="results-tools">
            {isRows && shapes && shapes[role].rows > 0 && (
              <SortMark role={role} shape={shapes[role]} sorts={sorts} setSorts={setters[role]} />
            )}
            {isRows && shapes && (
              <FilterToggle shown={fieldsShown} toggle={() => rowsRef.current?.("filter_row")} />
            )}
            {isRows && shapes && (
              <ColumnChooser
                shape={shapes[role]}
                prefs={prefs}
                change={setPrefs}
                sorts={sorts}
                setSorts={setters[role]}
              >
                <LayoutPicker layouts={layouts} change={setLayouts} />
              </ColumnChooser>
            )}
            {isRows && (
              <ExportButton
                role={role}
                viewKey={target.key}
                shape={shape}
                narrowed={narrowed}
                sorts={sorts}
                prefs={prefs}
                partial={partial}
                blocked={noExport}
                zone={zone}
                exporter={exporter}
                exportRef={exportRef}
              />
            )}
          </div>
        </div>
        {columns && <FilterChips narrowing={narrowing} columns={columns} days={days} viewKey={viewKey} />}
        <ExportStatus exporter={exporter} />
        {failure && (
          <FailureNote
            failure={failure}
            testId="view-failure"
            action={{ label: "Try again", press: reload }}
          />
        )}
        {ROLES.map((entry) => (
          <TabPanel key={entry.role} id={entry.role} className="tab-panel">
            {shapes && entry.role === role && narrowed !== null && (
              <RolePane
                role={role}
                viewKey={shapes.key}
                narrowed={narrowed}
                fields={fields}
                showFields={showFields}
                propose={narrowing.propose}
                reload={reload}
                zone={zone}
                zones={zones}
                sorts={sorts}
                setSorts={setters[role]}
                prefs={prefs}
                setPrefs={setPrefs}
                filtered={filtered}
                group={grouping.group}
                widen={widen}
                rowsRef={paneRef}
              />
            )}
          </TabPanel>
        ))}
        <TabPanel id="summary" className="tab-panel">
          {shapes && tab === "summary" && narrowed !== null && (
            <SummaryPane
              role={role}
              setRole={setRole}
              viewKey={shapes.key}
              narrowed={narrowed}
              zone={zone}
              held={grouping.held}
              change={grouping.change}
              open={grouping.open}
              outdated={reload}
              {...{ partial, exporter, exportRef }}
            />
          )}
        </TabPanel>
        <TabPanel id="sql" className="tab-panel">
          {sqlRows !== null && tab === "sql" && (
            <Suspense fallback={null}>
              <SqlPane
                sql={sql}
                rows={sqlRows}
                rowsRef={paneRef}
                {...{ partial, zone, zones, exporter, exportRef }}
              />
            </Suspense>
          )}
        </TabPanel>
      </Tabs>
    </section>
  );
}

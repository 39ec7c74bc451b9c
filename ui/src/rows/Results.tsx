import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";

import type { Role, Sort } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { count } from "../controls/format";
import { HintButton } from "../controls/HintButton";
import { keyText } from "../controls/keys";
import { useStored } from "../controls/useStored";
import { ColumnChooser } from "./ColumnChooser";
import { ExportDialog, exportName } from "./ExportDialog";
import { optionsOf } from "./exportOptions";
import { ExportStatus } from "./ExportStatus";
import { FilterChips } from "./FilterChips";
import { filterCells } from "./filterFields";
import { filtersFor, NO_FILTERS, rowQuery, withFilters } from "./filters";
import { type ColumnPrefs, NO_PREFS, shown } from "./grid/columns";
import { FilterToggle, NarrowedCount } from "./NarrowedCount";
import { RolePane } from "./RolePane";
import type { RowsCommands } from "./rowsCommands";
import { SortMark } from "./SortMark";
import { NO_SORTS, sortsFor, withSorts } from "./sorts";
import type { Exporter } from "./useExport";
import { useNarrowed } from "./useNarrowed";
import { type Target, useShapes } from "./useShapes";

interface Props {
  target: Target;
  zone: string;
  /** The answer is partial, and the rows must not look complete. */
  partial: boolean;
  /** The query has filters. */
  filtered: boolean;
  exporter: Exporter;
  /** Set to the export function, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
  /** Set to what performs a command at the current cell, for the window's keys and its palette. */
  rowsRef: RefObject<RowsCommands | null>;
}

const ROLES: { role: Role; label: string }[] = [
  { role: "input", label: "Trades" },
  { role: "downstream", label: "Messages" },
];

/** The rows of the answer, in two tabs. */
export function Results({ target, zone, partial, filtered, exporter, exportRef, rowsRef }: Props) {
  const [role, setRole] = useState<Role>("input");
  const [stored, store] = useStored("tidemark.sorts", NO_SORTS);
  const [inputPrefs, setInputPrefs] = useStored<ColumnPrefs>("tidemark.columns.input", NO_PREFS);
  const [downPrefs, setDownPrefs] = useStored<ColumnPrefs>("tidemark.columns.downstream", NO_PREFS);
  const { shapes, failure, reload } = useShapes(target);
  const prefs = role === "input" ? inputPrefs : downPrefs;
  const setPrefs = role === "input" ? setInputPrefs : setDownPrefs;
  const { signature } = target.key;
  const setters = useMemo(() => {
    const setter = (of: Role) => (by: Sort[]) => store(withSorts(stored, signature, of, by));
    return { input: setter("input"), downstream: setter("downstream") };
  }, [signature, stored, store]);
  // A sort by a column that this answer does not have is ignored.
  const shape = shapes?.[role] ?? null;
  const columns = shape?.columns;
  const sorts = useMemo(() => {
    const has = (path: string) => columns?.some((column) => column.path === path) ?? false;
    return sortsFor(stored, signature)[role].filter(({ path }) => has(path));
  }, [stored, signature, role, columns]);
  const [storedFilters, storeFilters] = useStored("tidemark.filters", NO_FILTERS);
  const [fieldsShown, showFields] = useStored("tidemark.filterRow", false);
  const narrowing = useNarrowed({
    viewKey: shapes?.key ?? target.key,
    role,
    shape,
    stamp: shapes?.stamp ?? "",
    held: filtersFor(storedFilters, signature)[role],
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
  const filters = narrowed?.filters ?? [];
  const writing = exporter.state.status === "writing";
  const noExport = target.live
    ? "Rows are still arriving."
    : writing
      ? "Another export is running."
      : shapes === null
        ? "There are no rows yet."
        : narrowed === null
          ? "The rows are being filtered."
          : null;
  const [asking, setAsking] = useState(false);
  const askToExport = () => setAsking(noExport === null);
  const exportRows = () => {
    setAsking(false);
    const { choice } = exporter;
    const held = choice.shownRows ? filters : [];
    const paths = shape === null ? [] : shown(shape, prefs).map(({ column }) => column.path);
    if (noExport === null) exporter.start(target.key, rowQuery(role, sorts, held), optionsOf(choice, paths));
  };
  useEffect(() => {
    exportRef.current = askToExport;
    return () => {
      exportRef.current = null;
    };
  });

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
      <Tabs
        className="results-tabs"
        selectedKey={role}
        onSelectionChange={(key) => setRole(key === "downstream" ? "downstream" : "input")}
      >
        <div className="results-bar">
          <TabList className="tab-list" aria-label="Trades and messages">
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
          </TabList>
          {target.live && <span className="live-mark">rows so far</span>}
          {shape !== null && <NarrowedCount narrowing={narrowing} />}
          <div className="results-tools">
            {shapes && shapes[role].rows > 0 && (
              <SortMark role={role} shape={shapes[role]} sorts={sorts} setSorts={setters[role]} />
            )}
            {shapes && <FilterToggle shown={fieldsShown} toggle={() => rowsRef.current?.("filter_row")} />}
            {shapes && (
              <ColumnChooser
                shape={shapes[role]}
                prefs={prefs}
                change={setPrefs}
                sorts={sorts}
                setSorts={setters[role]}
              />
            )}
            <HintButton
              className="button"
              testId="export-button"
              hint={`Export the rows of this tab to a file, in the order shown (${keyText("window", "export")})`}
              blocked={noExport}
              press={askToExport}
            >
              {exportName(partial, filters.length > 0 && exporter.choice.shownRows)}
            </HintButton>
            {asking && shapes && shape && narrowed && (
              <ExportDialog
                choice={exporter.choice}
                change={exporter.setChoice}
                zone={zone}
                name={exportName(partial, filters.length > 0 && exporter.choice.shownRows)}
                rows={{ shown: narrowed.rows, all: shapes[role].rows, narrowed: filters.length > 0 }}
                columns={{ shown: shown(shape, prefs).length, all: shape.columns.length }}
                start={exportRows}
                close={() => setAsking(false)}
              />
            )}
          </div>
        </div>
        {columns && <FilterChips narrowing={narrowing} columns={columns} />}
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
                sorts={sorts}
                setSorts={setters[role]}
                prefs={prefs}
                setPrefs={setPrefs}
                filtered={filtered}
                rowsRef={rowsRef}
              />
            )}
          </TabPanel>
        ))}
      </Tabs>
    </section>
  );
}

import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";

import type { Role, Sort } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { count } from "../controls/format";
import { HintButton } from "../controls/HintButton";
import { keyText } from "../controls/keys";
import { useStored } from "../controls/useStored";
import { ColumnChooser } from "./ColumnChooser";
import { ExportStatus } from "./ExportStatus";
import { type ColumnPrefs, NO_PREFS } from "./grid/columns";
import { RolePane, type RowsCommands } from "./RolePane";
import { SortMark } from "./SortMark";
import { NO_SORTS, sortsFor, withSorts } from "./sorts";
import { SpreadsheetSafe } from "./SpreadsheetSafe";
import type { Exporter } from "./useExport";
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
  const columns = shapes?.[role].columns;
  const sorts = useMemo(() => {
    const has = (path: string) => columns?.some((column) => column.path === path) ?? false;
    return sortsFor(stored, signature)[role].filter(({ path }) => has(path));
  }, [stored, signature, role, columns]);
  const writing = exporter.state.status === "writing";
  const noExport = target.live
    ? "Rows are still arriving."
    : writing
      ? "Another export is running."
      : shapes === null
        ? "There are no rows yet."
        : null;
  const exportRows = () => {
    if (noExport === null) exporter.start(target.key, { role, sorts });
  };
  useEffect(() => {
    exportRef.current = exportRows;
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
          <div className="results-tools">
            {shapes && shapes[role].rows > 0 && (
              <SortMark role={role} shape={shapes[role]} sorts={sorts} setSorts={setters[role]} />
            )}
            {shapes && (
              <ColumnChooser
                shape={shapes[role]}
                prefs={prefs}
                change={setPrefs}
                sorts={sorts}
                setSorts={setters[role]}
              />
            )}
            <SpreadsheetSafe exporter={exporter} />
            <HintButton
              className="button"
              testId="export-button"
              hint={`Export every row of this tab in the order shown (${keyText("window", "export")})`}
              blocked={noExport}
              press={exportRows}
            >
              {partial ? "Export partial CSV" : "Export CSV"}
            </HintButton>
          </div>
        </div>
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
            {shapes && (
              <RolePane
                role={entry.role}
                viewKey={shapes.key}
                stamp={shapes.stamp}
                shape={shapes[entry.role]}
                reload={reload}
                zone={zone}
                sorts={sorts}
                setSorts={setters[entry.role]}
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

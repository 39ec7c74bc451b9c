import "./sql.css";

import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover, Text } from "react-aria-components";

import { FailureNote } from "../../controls/FailureNote";
import { cutText, duration, plural } from "../../controls/format";
import { HintButton } from "../../controls/HintButton";
import { Icon } from "../../controls/icons";
import { commandOf, keyText } from "../../controls/keys";
import { Splitter } from "../../controls/Splitter";
import { usePanelSize } from "../../controls/usePanelSize";
import type { Zones } from "../grid/cellFormat";
import type { PaneCommands } from "../rowsCommands";
import type { Exporter } from "../useExport";
import { viewsOf } from "./resultColumns";
import { type EditorHandle, SqlEditor } from "./SqlEditor";
import { SqlExport } from "./SqlExport";
import { SqlGrid } from "./SqlGrid";
import { SqlTables } from "./SqlTables";
import { lineOf } from "./sqlText";
import type { Sql, SqlRows } from "./useSql";

interface Props {
  sql: Sql;
  rows: SqlRows;
  partial: boolean;
  zone: string;
  zones: Zones;
  exporter: Exporter;
  exportRef: RefObject<(() => void) | null>;
  rowsRef: RefObject<PaneCommands | null>;
}

/** The length to which a statement of the history is cut. */
const MAX_LINE = 90;

/** A query of one's own on the rows that are shown, and its result. */
export function SqlPane(props: Props) {
  const { sql, rows, partial, zone, zones, exporter, exportRef, rowsRef } = props;
  const { text, history, ran, failed, asks, wantsFocusRef } = sql;
  const editor = useRef<EditorHandle | null>(null);
  const size = usePanelSize("tidemark.sql.height", { usual: 170, least: 90, most: 600 });
  const columns = useMemo(() => (ran === null ? [] : viewsOf(ran.result.columns)), [ran]);
  const target = failed?.failure.target ?? null;
  // A text that was changed since has its mistakes elsewhere.
  const mistake = useMemo(
    () => (target?.field === "sql" && failed?.text === text ? target : null),
    [target, failed, text],
  );
  useEffect(() => {
    if (!wantsFocusRef.current) return;
    wantsFocusRef.current = false;
    editor.current?.focus();
  }, [wantsFocusRef, asks]);
  /** Which statement of the history is shown; below zero for what was typed. */
  const [at, setAt] = useState(-1);
  const step = (by: number) => {
    const next = Math.max(-1, Math.min(at + by, history.length - 1));
    const older = history[next];
    if (older === undefined) return;
    setAt(next);
    sql.setText(older);
  };
  const pressed = (event: KeyboardEvent<HTMLElement>) => {
    const command = commandOf("sql", event);
    const isText = event.target instanceof HTMLTextAreaElement;
    if (command === "run_sql") sql.run();
    else if (command === "cancel_sql" && sql.since !== null) sql.cancel();
    else if (command === "older_sql" && isText) step(1);
    else if (command === "newer_sql" && isText) step(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="sql-pane" data-place="sql" onKeyDown={pressed} data-testid="sql-pane">
      <div className="sql-top" style={{ flexBasis: size.pixels }}>
        <SqlTables rows={rows} insert={(name) => editor.current?.insert(name)} />
        <div className="sql-main">
          <SqlEditor
            ref={editor}
            text={text}
            change={(next) => {
              setAt(-1);
              sql.setText(next);
            }}
            mistake={mistake}
          />
          <div className="sql-bar">
            <HintButton
              className="button primary small"
              testId="sql-run"
              hint={`Run it (${keyText("sql", "run_sql")})`}
              blocked={sql.since !== null ? "It is running." : text.trim() === "" ? "There is no SQL." : null}
              press={sql.run}
            >
              Run
            </HintButton>
            <Button
              className="button small"
              aria-disabled={sql.since === null || undefined}
              onPress={() => sql.since !== null && sql.cancel()}
              data-testid="sql-cancel"
            >
              Cancel
            </Button>
            <MenuTrigger>
              <Button className="button small" isDisabled={history.length === 0} data-testid="sql-history">
                History <Icon name="chevron" size={10} />
              </Button>
              <Popover className="popover menu" placement="bottom start" offset={2}>
                <Menu
                  className="menu-list"
                  aria-label="What was run before"
                  onAction={(key) => sql.setText(history[Number(key)] ?? text)}
                  data-testid="sql-history-menu"
                >
                  {history.map((one, place) => (
                    <MenuItem key={place} id={place} className="menu-item" textValue={lineOf(one)}>
                      <Text slot="label" className="sql-line">
                        {cutText(lineOf(one), MAX_LINE)}
                      </Text>
                    </MenuItem>
                  ))}
                </Menu>
              </Popover>
            </MenuTrigger>
            <SqlState sql={sql} rows={rows} />
            <span className="spacer" />
            <SqlExport
              ran={ran}
              columns={columns}
              shown={sql.shown}
              {...{ partial, zone, exporter, exportRef }}
            />
          </div>
        </div>
        <Splitter
          label="Height of the SQL"
          side="bottom"
          size={size.pixels}
          least={size.least}
          most={size.most}
          resize={size.resize}
          reset={size.reset}
          testId="sql-edge"
        />
      </div>
      {failed !== null && <FailureNote failure={failed.failure} testId="sql-failure" dismiss={sql.dismiss} />}
      {ran === null ? (
        <p className="sql-none faint">
          One SELECT on <code>trades</code> and <code>messages</code>, which have the rows of the other tabs
          under their filters. It reads the cache only; nothing can be written and nothing is fetched.
        </p>
      ) : (
        <div className="sql-result" data-stale={failed !== null || sql.since !== null || undefined}>
          <SqlGrid
            key={ran.result.id}
            ran={ran}
            columns={columns}
            shown={sql.shown}
            show={sql.show}
            {...{ zone, zones, rowsRef }}
          />
        </div>
      )}
    </div>
  );
}

/** What is running, or what came of it. */
function SqlState({ sql, rows }: { sql: Sql; rows: SqlRows }) {
  const { since, ran, failed, text } = sql;
  const seconds = useSeconds(since);
  const isOther = ran !== null && JSON.stringify(ran.rows.narrowed) !== JSON.stringify(rows.narrowed);
  const isOld = ran !== null && ran.rows.stamp !== rows.stamp;
  const { narrowed } = ran?.rows ?? rows;
  const isFiltered = narrowed.some(({ filters = [], days }) => filters.length > 0 || (days ?? null) !== null);
  const remark = isOther
    ? "the filters of the rows have changed since"
    : isOld
      ? "the rows have been read again since"
      : ran !== null && ran.text !== text
        ? "the SQL has changed since"
        : null;
  const done =
    ran === null
      ? ""
      : `${plural(ran.result.rows, "row")} in ${duration(Math.max(1, ran.result.elapsed_ms))}`;
  return (
    <span className="sql-state" data-testid="sql-state">
      <span role="status" className="num">
        {since !== null ? "Running" : failed === null ? done : ran === null ? "" : "Below is the last result"}
      </span>
      {since !== null && <span className="num faint"> {seconds} s</span>}
      {isFiltered && <span data-testid="sql-filtered"> on the filtered rows</span>}
      {since === null && failed === null && remark !== null && <span className="differs"> {remark}</span>}
    </span>
  );
}

/** How many seconds have passed since a moment. */
function useSeconds(since: number | null): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (since === null) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [since]);
  return since === null ? 0 : Math.max(0, Math.round((now - since) / 1000));
}

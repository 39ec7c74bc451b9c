import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type Failure, type Role, type Sort, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { plural } from "../controls/format";
import { useStored } from "../controls/useStored";
import { type ColumnPrefs, nameIn, shown, withHidden } from "./grid/columns";
import { cellCondition, cellFilters } from "./cellFilter";
import { conditionOf, othersOf, rowQuery, typedCondition, withCondition } from "./filters";
import type { Content, FilterFields, Handlers, MenuAt } from "./grid/contract";
import { type GridHandle, GridView } from "./grid/GridView";
import { RowsChanged } from "./grid/lazyRows";
import { copiedText, type Selected } from "./grid/selection";
import { noRowsText } from "./noRows";
import { type Bar, RowsBar } from "./RowsBar";
import { PaneFoot } from "./PaneFoot";
import { SumsLine } from "./SumsLine";
import { GridMenu, type MenuCommand } from "./GridMenu";
import { RowDrawer } from "./RowDrawer";
import type { RowsCommands } from "./rowsCommands";
import { useDetail } from "./useDetail";
import { ValuesDialog } from "./ValuesDialog";
import type { Narrowed, Narrowing } from "./useNarrowed";

interface Props {
  role: Role;
  viewKey: ViewKey;
  /** The rows to show. */
  narrowed: Narrowed;
  /** The fields that filter by the columns. */
  fields: FilterFields;
  showFields: (shown: boolean) => void;
  propose: Narrowing["propose"];
  /** Reads the shape again, and then the rows. */
  reload: () => void;
  zone: string;
  sorts: Sort[];
  setSorts: (sorts: Sort[]) => void;
  prefs: ColumnPrefs;
  setPrefs: (prefs: ColumnPrefs) => void;
  /** The query has filters. */
  filtered: boolean;
  /** Set to what performs a command at the current cell, for the window's keys and its palette. */
  rowsRef: RefObject<RowsCommands | null>;
}

/** How long an announcement stays. */
const ANNOUNCEMENT_MS = 8000;

const LABELS: Record<Role, string> = { input: "Trades", downstream: "Messages" };

/** The rows of one role, and the detail of one of them. */
export function RolePane(props: Props) {
  const { role, viewKey, narrowed, fields, showFields, propose, rowsRef } = props;
  const { reload, zone, sorts, setSorts, prefs, setPrefs } = props;
  const { shape, stamp, filters, days, rows: length } = narrowed;
  const backend = useBackend();
  const grid = useRef<GridHandle>(null);
  const detail = useDetail();
  // The position of the row whose detail is open, and in which rows: in a different order it means a different row.
  const [opened, setOpened] = useState<{ identity: string; position: number } | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const [failed, setFailed] = useState<{ identity: string; failure: Failure } | null>(null);
  const [copyFailure, setCopyFailure] = useState<Failure | null>(null);
  const [selected, setSelected] = useState<Selected>({ rows: 0, columns: 0 });
  const [menu, setMenu] = useState<(MenuAt & { value: string | null | undefined }) | null>(null);
  const [listed, setListed] = useState<{ path: string; at: { x: number; y: number } } | null>(null);
  const [bar, setBar] = useState<Bar | null>(null);
  const [sumsOn, setSumsOn] = useStored("tidemark.sums", false);
  const [summed, setSummed] = useState<string | null>(null);
  const [announcement, announce] = useState("");
  // Shown until the copy is done, however long that takes.
  const [copying, setCopying] = useState("");
  useEffect(() => {
    if (announcement === "") return;
    const timer = setTimeout(() => announce(""), ANNOUNCEMENT_MS);
    return () => clearTimeout(timer);
  }, [announcement]);

  const query = [viewKey.signature, viewKey.from, viewKey.to, role].join("|");
  const identity = [query, JSON.stringify(sorts), JSON.stringify([filters, days])].join("|");
  const rows = useMemo(() => rowQuery(role, sorts, filters, days), [role, sorts, filters, days]);
  const unsorted = useMemo(() => rowQuery(role, [], filters, days), [role, filters, days]);
  const content = useMemo<Content>(
    () => ({
      query,
      identity,
      stamp,
      columns: shape.columns,
      reading_order: shape.reading_order,
      zone,
      length,
      generation: shape.generation,
      read: (offset, limit) => backend.page(viewKey, rows, offset, limit),
    }),
    [backend, viewKey, rows, stamp, shape, length, query, identity, zone],
  );
  const handlers = useMemo<Handlers>(
    () => ({
      sort: setSorts,
      prefs: setPrefs,
      filter: (path, text) => propose(path, (held) => withCondition(held, path, typedCondition(text))),
      open: (position) => setOpened({ identity, position }),
      active: (position, path) => {
        setActive(position);
        setSummed(path);
        setOpened((held) => (held?.identity === identity ? { identity, position } : null));
      },
      selected: setSelected,
      copying: (rows) => {
        announce("");
        setCopying(`Copying ${plural(rows, "row")}`);
      },
      copy: (text, copied) => {
        backend.copyText(text).then(
          () => {
            setCopying("");
            setCopyFailure(null);
            announce(copiedText(copied));
          },
          (error: unknown) => {
            setCopying("");
            setCopyFailure(toFailure(error));
          },
        );
      },
      menu: (at) => {
        const { row, path } = at;
        setMenu({ ...at, value: row === null ? undefined : grid.current?.valueAt({ row, path }) });
      },
      ask: (command, { row, path }) => {
        if (command === "values") {
          const at = grid.current?.belowHeading(path) ?? { x: 0, y: 0 };
          return setListed({ path, at });
        }
        if (command === "sums") {
          setSumsOn(!sumsOn || path !== summed);
          return setSummed(path);
        }
        const value = row === null ? undefined : grid.current?.valueAt({ row, path });
        const column = shape.columns.find((one) => one.path === path);
        // From the palette anything can be asked of any cell.
        if (!cellFilters(value, column).includes(command)) return announce("This cell has no such filter");
        propose(path, (held) =>
          withCondition(held, path, cellCondition(command, value ?? null, conditionOf(held, path))),
        );
      },
      announce,
      outdated: reload,
      reading: (error) => setFailed(error === null ? null : { identity, failure: toFailure(error) }),
      copyFailed: (error) => {
        setCopying("");
        if (error instanceof RowsChanged) announce("The rows have changed; copy again");
        else setCopyFailure(toFailure(error));
      },
    }),
    [backend, setSorts, setPrefs, propose, shape, identity, reload, sumsOn, setSumsOn, summed],
  );
  const perform = (command: MenuCommand, at: MenuAt) => {
    if (command === "hide") setPrefs(withHidden(shape, prefs, at.path));
    else if (command === "show_all") setPrefs({ ...prefs, hidden: [] });
    else if (command === "copy_name") {
      backend.copyText(at.path).then(
        () => announce(`Copied ${at.path}`),
        (error: unknown) => setCopyFailure(toFailure(error)),
      );
    } else grid.current?.perform(command, at);
    // The focused cell may have been redrawn meanwhile.
    if (command !== "open" && command !== "values") grid.current?.focus();
  };
  const hasRows = length > 0;
  const closeBar = () => {
    setBar(null);
    grid.current?.focus();
  };
  const focusField = useRef(false);
  useEffect(() => {
    if (!fields.shown || !focusField.current) return;
    focusField.current = false;
    grid.current?.focusFilter(grid.current.here()?.path ?? null);
  }, [fields.shown]);
  useEffect(() => {
    rowsRef.current = (command) => {
      if (command === "filter_row") {
        focusField.current = !fields.shown;
        showFields(!fields.shown);
        return;
      }
      if (!hasRows) return;
      if (command === "find" || command === "go_to_row") {
        setBar((held) => ({ kind: command, asks: (held?.asks ?? 0) + 1 }));
        return;
      }
      // Without an active cell, the first one that is seen becomes it.
      grid.current?.focus();
      const at = command === "select_all" ? null : (grid.current?.here() ?? null);
      grid.current?.perform(command, at ?? { row: null, path: null });
    };
    return () => {
      rowsRef.current = null;
    };
  }, [rowsRef, hasRows, fields.shown, showFields]);
  const close = useCallback(() => {
    setOpened(null);
    grid.current?.focus();
  }, []);

  const shownRow =
    opened !== null && opened.identity === identity && opened.position < length ? opened.position : null;
  return (
    <div
      className="role-pane"
      data-detail={detail.place}
      onKeyDown={(event) => {
        // Escape in the rows closes the drawer too, and does not cancel a run.
        if (event.key !== "Escape" || shownRow === null) return;
        event.preventDefault();
        close();
      }}
    >
      <div className="grid-side">
        {failed?.identity === identity && (
          <FailureNote
            failure={failed.failure}
            testId="grid-failure"
            action={{ label: "Try again", press: reload }}
            dismiss={() => setFailed(null)}
          />
        )}
        {copyFailure && (
          <FailureNote failure={copyFailure} testId="copy-failure" dismiss={() => setCopyFailure(null)} />
        )}
        {bar !== null && (
          <RowsBar
            bar={bar}
            viewKey={viewKey}
            rows={rows}
            length={length}
            generation={shape.generation}
            here={() => grid.current?.here()?.row ?? null}
            goTo={(row) => grid.current?.goTo(row)}
            outdated={reload}
            close={closeBar}
          />
        )}
        <GridView
          ref={grid}
          label={LABELS[role]}
          content={content}
          prefs={prefs}
          sorts={sorts}
          filters={fields}
          handlers={handlers}
        />
        {!hasRows && <p className="grid-none">{noRowsText(role, props.filtered, narrowed)}</p>}
        {sumsOn && summed !== null && shape.columns.some((column) => column.path === summed) && (
          <SumsLine
            viewKey={viewKey}
            rows={unsorted}
            stamp={stamp}
            generation={shape.generation}
            path={summed}
            name={nameIn(shape.columns, summed)}
            outdated={reload}
          />
        )}
        <PaneFoot
          position={active}
          length={length}
          selected={selected}
          announcement={announcement === "" ? copying : announcement}
        />
      </div>
      {menu !== null && (
        <GridMenu
          at={menu}
          column={shape.columns.find((column) => column.path === menu.path)}
          value={menu.value}
          sorts={sorts}
          hidden={shape.columns.some((column) => prefs.hidden.includes(column.path))}
          canHide={shown(shape, prefs).length > 1}
          perform={(command) => perform(command, menu)}
          close={() => setMenu(null)}
        />
      )}
      {listed !== null && (
        <ValuesDialog
          at={listed.at}
          path={listed.path}
          name={nameIn(shape.columns, listed.path)}
          viewKey={viewKey}
          rows={rowQuery(role, [], othersOf(filters, listed.path), days)}
          stamp={stamp}
          condition={conditionOf(filters, listed.path)}
          apply={(condition) => propose(listed.path, (held) => withCondition(held, listed.path, condition))}
          close={() => setListed(null)}
        />
      )}
      {shownRow !== null && (
        <RowDrawer
          viewKey={viewKey}
          rows={rows}
          position={shownRow}
          identity={identity}
          stamp={stamp}
          generation={shape.generation}
          outdated={reload}
          zone={zone}
          place={detail.place}
          setPlace={detail.setPlace}
          size={detail.size}
          close={close}
        />
      )}
    </div>
  );
}

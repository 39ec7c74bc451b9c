import { type RefObject, useCallback, useMemo, useRef, useState } from "react";

import { type Failure, type Role, type Sort, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { useStored } from "../controls/useStored";
import type { Zones } from "./grid/cellFormat";
import { type ColumnPrefs, columnName, isPinned, nameIn, shown, withHidden } from "./grid/columns";
import { type ColumnDialog, ColumnDialogs, isDialog } from "./ColumnDialogs";
import { rowQuery, typedCondition, withCondition } from "./filters";
import type { Content, FilterFields, Handlers, MenuAt } from "./grid/contract";
import { type GridHandle, GridView } from "./grid/GridView";
import type { Selected } from "./grid/selection";
import { noRowsText } from "./noRows";
import { type Bar, RowsBar } from "./RowsBar";
import { PaneFoot } from "./PaneFoot";
import { SelectionSums } from "./SelectionSums";
import { SumsLine } from "./SumsLine";
import { GridMenu, type MenuCommand } from "./GridMenu";
import { Legend } from "./Legend";
import { RowDrawer } from "./RowDrawer";
import type { PaneCommands } from "./rowsCommands";
import { useAsk } from "./useAsk";
import { usePaneCommands } from "./usePaneCommands";
import { useQueryFilter } from "./useQueryFilter";
import { useCopies } from "./useCopies";
import { useDetail } from "./useDetail";
import { useSoughtRow } from "./useSoughtRow";
import { useAnnouncement } from "./useAnnouncement";
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
  zones: Zones;
  sorts: Sort[];
  setSorts: (sorts: Sort[]) => void;
  prefs: ColumnPrefs;
  setPrefs: (prefs: ColumnPrefs) => void;
  /** Shows the summary, with a column that makes groups. */
  group: (path: string) => void;
  /** Switches off what narrows the rows. */
  widen: () => void;
  /** The query has filters. */
  filtered: boolean;
  /** Set to what performs a command at the current cell, for the window's keys and its palette. */
  rowsRef: RefObject<PaneCommands | null>;
}

const LABELS: Record<Role, string> = { input: "Trades", downstream: "Messages" };

/** The rows of one role, and the detail of one of them. */
export function RolePane(props: Props) {
  const { role, viewKey, narrowed, fields, showFields, propose, rowsRef } = props;
  const { reload, zone, zones, sorts, setSorts, prefs, setPrefs, group } = props;
  const { shape, stamp, filters, days, rows: length } = narrowed;
  const backend = useBackend();
  const grid = useRef<GridHandle>(null);
  const detail = useDetail();
  const { setForm: show } = detail;
  // The position of the row whose detail is open, and in which rows: in a different order it means a different row.
  const [opened, setOpened] = useState<{ identity: string; position: number } | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const [failed, setFailed] = useState<{ identity: string; failure: Failure } | null>(null);
  const [selected, setSelected] = useState<Selected>({ rows: 0, columns: 0 });
  const [menu, setMenu] = useState<(MenuAt & { value: string | null | undefined }) | null>(null);
  const [dialog, setDialog] = useState<ColumnDialog | null>(null);
  const [bar, setBar] = useState<Bar | null>(null);
  const [sumsOn, setSumsOn] = useStored("tidemark.sums", false);
  const [summed, setSummed] = useState<string | null>(null);
  const [announcement, announce] = useAnnouncement();
  const copies = useCopies(announce);
  const { handlers: copyHandlers } = copies;

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
      zones,
      length,
      generation: shape.generation,
      read: (offset, limit, places) => {
        const columns = places.map((place) => shape.columns[place]?.path ?? "");
        return backend.page(viewKey, rows, { offset, limit, columns });
      },
    }),
    [backend, viewKey, rows, stamp, shape, length, query, identity, zone, zones],
  );
  const queryFilter = useQueryFilter({ role, viewKey, rows, shape, outdated: reload });
  const toggleSums = useCallback(
    (path: string) => {
      setSumsOn(!sumsOn || path !== summed);
      setSummed(path);
    },
    [sumsOn, setSumsOn, summed],
  );
  const openTrade = useCallback(
    (position: number) => {
      show("trade");
      setOpened({ identity, position });
    },
    [show, identity],
  );
  const ask = useAsk({
    ...{ grid, shape, prefs, setPrefs, propose, queryFilter, group },
    ...{ setDialog, toggleSums, openTrade, announce },
  });
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
      ...copyHandlers,
      menu: (at) => {
        const { row, path } = at;
        setMenu({ ...at, value: row === null ? undefined : grid.current?.valueAt({ row, path }) });
      },
      ask,
      announce,
      outdated: reload,
      reading: (error) => setFailed(error === null ? null : { identity, failure: toFailure(error) }),
    }),
    [copyHandlers, setSorts, setPrefs, propose, ask, announce, identity, reload],
  );
  const perform = (command: MenuCommand, at: MenuAt) => {
    if (command === "hide") setPrefs(withHidden(shape, prefs, at.path));
    else if (command === "show_all") setPrefs({ ...prefs, hidden: [] });
    else if (command === "copy_name") copies.copyText(at.path);
    else grid.current?.perform(command, at);
    // The focused cell may have been redrawn meanwhile.
    if (command !== "open" && command !== "group_by" && !isDialog(command)) grid.current?.focus();
  };
  const coloured = shape.columns.find(({ path }) => path === prefs.coloured);
  const hasRows = length > 0;
  const closeBar = () => {
    setBar(null);
    grid.current?.focus();
  };
  useSoughtRow({ role, viewKey, rows, narrowed, grid, widen: props.widen });
  usePaneCommands({ rowsRef, grid, hasRows, fields, showFields, setBar });
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
        {copies.failure && (
          <FailureNote failure={copies.failure} testId="copy-failure" dismiss={copies.dismiss} />
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
        {coloured !== undefined && (
          <Legend
            viewKey={viewKey}
            rows={unsorted}
            stamp={stamp}
            path={coloured.path}
            name={columnName(coloured)}
            remove={() => setPrefs({ ...prefs, coloured: null })}
          />
        )}
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
          announcement={announcement === "" ? copies.copying : announcement}
        >
          <SelectionSums
            grid={grid}
            selected={selected}
            columns={shape.columns}
            viewKey={viewKey}
            rows={unsorted}
            length={length}
            stamp={identity + stamp}
          />
        </PaneFoot>
      </div>
      {menu !== null && (
        <GridMenu
          at={menu}
          column={shape.columns.find((column) => column.path === menu.path)}
          value={menu.value}
          sorts={sorts}
          hidden={shape.columns.some((column) => prefs.hidden.includes(column.path))}
          pinned={isPinned(shape, prefs, menu.path)}
          canHide={shown(shape, prefs).length > 1}
          noQueryFilter={queryFilter.reason(menu.path, menu.value)}
          perform={(command) => perform(command, menu)}
          close={() => setMenu(null)}
        />
      )}
      {dialog !== null && (
        <ColumnDialogs
          dialog={dialog}
          role={role}
          viewKey={viewKey}
          columns={shape.columns}
          filters={filters}
          days={days}
          stamp={stamp}
          zone={zone}
          zones={zones}
          formats={prefs.formats}
          setFormats={(formats) => setPrefs({ ...prefs, formats })}
          propose={propose}
          close={() => setDialog(null)}
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
          layout={detail}
          close={close}
        />
      )}
    </div>
  );
}

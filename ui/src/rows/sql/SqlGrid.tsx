import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { Separator } from "react-aria-components";

import { type ColumnView, type Failure, toFailure } from "../../backend";
import { useBackend } from "../../backend/context";
import { CommandItem } from "../../controls/CommandMenu";
import { FailureNote } from "../../controls/FailureNote";
import { PointMenu } from "../../controls/PointMenu";
import { asked } from "../asked";
import { FormatDialog } from "../FormatDialog";
import { NO_FORMATS, type Zones } from "../grid/cellFormat";
import { withHidden } from "../grid/columns";
import type { Content, FilterFields, Handlers, MenuAt } from "../grid/contract";
import type { GridCommand } from "../grid/gridKeys";
import { type GridHandle, GridView } from "../grid/GridView";
import { orderWord } from "../grid/order";
import { cellsAt } from "../grid/pageCache";
import type { Selected } from "../grid/selection";
import { PaneFoot } from "../PaneFoot";
import type { PaneCommands } from "../rowsCommands";
import { useAnnouncement } from "../useAnnouncement";
import { useCopies } from "../useCopies";
import { sortsOf } from "./resultColumns";
import type { Ran, Shown } from "./useSql";

interface Props {
  ran: Ran;
  columns: ColumnView[];
  zone: string;
  zones: Zones;
  shown: Shown;
  show: (part: Partial<Shown>) => void;
  /** Set to what performs a command at the current cell. */
  rowsRef: RefObject<PaneCommands | null>;
}

const NO_FIELDS: FilterFields = { shown: false, cells: {} };

const NO_SELECTION: Selected = { rows: 0, columns: 0 };

type MenuCommand = GridCommand | "hide" | "show_all" | "copy_name";

/** The rows of a result, in the grid of the other tables. */
export function SqlGrid(props: Props) {
  const { ran, columns, zone, zones, show, rowsRef } = props;
  const { sorts, prefs } = props.shown;
  const { result, rows } = ran;
  const backend = useBackend();
  const grid = useRef<GridHandle>(null);
  const [active, setActive] = useState<number | null>(null);
  const [selected, setSelected] = useState(NO_SELECTION);
  const [menu, setMenu] = useState<MenuAt | null>(null);
  const [format, setFormat] = useState<{ path: string; at: { x: number; y: number } } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [announcement, announce] = useAnnouncement();
  const copies = useCopies(announce);
  const { handlers: copyHandlers } = copies;
  const query = String(result.id);
  const content = useMemo<Content>(() => {
    const by = sortsOf(columns, sorts);
    const { signal } = new AbortController();
    return {
      query,
      identity: [query, JSON.stringify(by)].join("|"),
      stamp: "",
      columns,
      reading_order: columns.map((_, place) => place),
      zone,
      zones,
      length: result.rows,
      // A result does not change.
      generation: 0,
      read: async (offset, limit, places) => {
        const page = await asked(backend, signal, (id) =>
          backend.sqlPage(rows.key, result.id, by, offset, limit, id),
        );
        return { rows: page.rows.map((row) => cellsAt(row, places)), generation: 0 };
      },
    };
  }, [backend, rows.key, result, columns, sorts, query, zone, zones]);
  const handlers = useMemo<Handlers>(
    () => ({
      sort: (sorts) => show({ sorts }),
      prefs: (prefs) => show({ prefs }),
      filter: () => undefined,
      open: () => announce("A row of a result is no document"),
      active: setActive,
      selected: setSelected,
      ...copyHandlers,
      menu: setMenu,
      ask: (command, { path }) => {
        if (command !== "format") return announce("A result is narrowed and added up by SQL");
        setFormat({ path, at: grid.current?.belowHeading(path) ?? { x: 0, y: 0 } });
      },
      announce,
      outdated: () => undefined,
      reading: (error) => setFailure(error === null ? null : toFailure(error)),
    }),
    [show, copyHandlers, announce],
  );
  const length = result.rows;
  useEffect(() => {
    rowsRef.current = (command) => {
      if (command === "filter_row" || command === "find" || command === "go_to_row" || length === 0) return;
      grid.current?.focus();
      const at = command === "select_all" ? null : (grid.current?.here() ?? null);
      grid.current?.perform(command, at ?? { row: null, path: null });
    };
    return () => {
      rowsRef.current = null;
    };
  }, [rowsRef, length]);
  const perform = (command: MenuCommand, at: MenuAt) => {
    if (command === "hide") show({ prefs: withHidden(content, prefs, at.path) });
    else if (command === "show_all") show({ prefs: { ...prefs, hidden: [] } });
    else if (command === "copy_name") copies.copyText(at.path);
    else grid.current?.perform(command, at);
    if (command !== "format") grid.current?.focus();
  };
  const named = format === null ? undefined : columns.find(({ path }) => path === format.path);
  return (
    <div className="grid-side">
      {failure !== null && <FailureNote failure={failure} testId="sql-grid-failure" />}
      {copies.failure && (
        <FailureNote failure={copies.failure} testId="copy-failure" dismiss={copies.dismiss} />
      )}
      <GridView
        ref={grid}
        label="Result of the SQL"
        content={content}
        prefs={prefs}
        sorts={sorts}
        filters={NO_FIELDS}
        handlers={handlers}
      />
      {length === 0 && <p className="grid-none">The result has no rows.</p>}
      <PaneFoot
        position={active}
        length={length}
        documents={false}
        selected={selected}
        announcement={announcement === "" ? copies.copying : announcement}
      />
      {menu !== null && (
        <PointMenu
          x={menu.x}
          y={menu.y}
          label={menu.row === null ? `Column ${menu.path}` : "Cells"}
          testId="sql-menu"
          disabled={sorts.length === 0 ? ["sort_off"] : []}
          perform={(command) => perform(command as MenuCommand, menu)}
          close={() => setMenu(null)}
        >
          {menu.row !== null && <CellItems />}
          {menu.row !== null && <Separator className="menu-line" />}
          <ColumnItems
            column={columns.find(({ path }) => path === menu.path)}
            hidden={prefs.hidden.length > 0}
          />
        </PointMenu>
      )}
      {format !== null && named !== undefined && (
        <FormatDialog
          at={format.at}
          column={named}
          formats={prefs.formats ?? NO_FORMATS}
          zones={zones}
          change={(formats) => show({ prefs: { ...prefs, formats } })}
          close={() => setFormat(null)}
        />
      )}
    </div>
  );
}

function CellItems() {
  return (
    <>
      <CommandItem place="rows" id="copy" />
      <CommandItem place="rows" id="copy_with_heading" />
      <CommandItem place="rows" id="copy_shown" />
      <CommandItem place="rows" id="copy_shown_with_heading" />
      <CommandItem place="rows" id="select_row" />
      <CommandItem place="rows" id="select_column" />
      <CommandItem place="rows" id="select_all" />
    </>
  );
}

function ColumnItems({ column, hidden }: { column: ColumnView | undefined; hidden: boolean }) {
  return (
    <>
      <CommandItem place="rows" id="sort_up" label={`Sort: ${orderWord(column, false)}`} />
      <CommandItem place="rows" id="sort_down" label={`Sort: ${orderWord(column, true)}`} />
      <CommandItem place="rows" id="sort_off" />
      <CommandItem place="rows" id="format" label="Format of numbers and times" />
      <CommandItem place="headings" id="fit" />
      <CommandItem place="headings" id="copy_name" />
      <CommandItem place="headings" id="hide" />
      {hidden && <CommandItem place="headings" id="show_all" />}
    </>
  );
}

import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type Failure, type Role, type Sort, toFailure, type ViewKey, type ViewShape } from "../backend";
import type { Content, Handlers, MenuAt } from "../grid/contract";
import { type GridHandle, GridView } from "../grid/GridView";
import { RowsChanged } from "../grid/lazyRows";
import { type ColumnPrefs, shown, withHidden } from "../logic/columns";
import { count, plural } from "../logic/format";
import { copiedText, type Selected, selectionText } from "../logic/selection";
import { useBackend } from "../state/backendContext";
import { FailureNote } from "./FailureNote";
import { GridMenu, type MenuCommand } from "./GridMenu";
import { RowDrawer } from "./RowDrawer";

interface Props {
  role: Role;
  viewKey: ViewKey;
  stamp: string;
  shape: ViewShape;
  /** Reads the shape again, and then the rows. */
  reload: () => void;
  zone: string;
  sort: Sort | null;
  setSort: (sort: Sort | null) => void;
  prefs: ColumnPrefs;
  setPrefs: (prefs: ColumnPrefs) => void;
  /** The query asks for some of the trades of its days. */
  filtered: boolean;
  /** Where the window's shortcut that selects all rows finds what to call. */
  selectRef: RefObject<(() => void) | null>;
}

/** The most wanted first: what has no room is left out from the end, never cut. */
const HINTS = [
  "Enter: show the document",
  "Ctrl+C: copy",
  "Shift+arrows or Shift+click: select",
  "Alt+↑↓: sort",
  "Alt+←→: column width",
  "Alt+Shift+←→: move column",
  "Ctrl+Shift+C: copy with headings",
];

/** What a key has done is said this long. */
const TOLD_MS = 8000;

const LABELS: Record<Role, string> = { input: "Trades", downstream: "Messages" };

/** What stands in place of rows. Filters that are set are the likeliest reason for none. */
const NO_ROWS: Record<Role, { filtered: string; unfiltered: string }> = {
  input: {
    filtered: "No trades match these filters on these days.",
    unfiltered: "There are no trades for these days.",
  },
  downstream: {
    filtered: "There are no messages for the trades that match these filters on these days.",
    unfiltered: "There are no messages for the trades of these days.",
  },
};

/** The rows of one role, and the detail of one of them. */
export function RolePane(props: Props) {
  const { role, viewKey, stamp, shape, reload, zone, sort, setSort, prefs, setPrefs, selectRef } = props;
  const backend = useBackend();
  const grid = useRef<GridHandle>(null);
  // The row whose detail is open, and of which rows it is one: in another order it would be another.
  const [opened, setOpened] = useState<{ identity: string; position: number } | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const [failed, setFailed] = useState<{ identity: string; failure: Failure } | null>(null);
  const [copyFailure, setCopyFailure] = useState<Failure | null>(null);
  const [selected, setSelected] = useState<Selected>({ rows: 0, columns: 0 });
  const [menu, setMenu] = useState<MenuAt | null>(null);
  const [told, setTold] = useState("");
  // What goes on is said until it is done, however long that takes.
  const [copying, setCopying] = useState("");
  useEffect(() => {
    if (told === "") return;
    const timer = setTimeout(() => setTold(""), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);

  const query = [viewKey.signature, viewKey.from, viewKey.to, role].join("|");
  const identity = [query, sort?.path, sort?.descending].join("|");
  const content = useMemo<Content>(
    () => ({
      query,
      identity,
      stamp,
      columns: shape.columns,
      length: shape.rows,
      generation: shape.generation,
      read: (offset, limit) => backend.page(viewKey, role, sort, offset, limit),
    }),
    [backend, viewKey, role, sort, stamp, shape, query, identity],
  );
  const handlers = useMemo<Handlers>(
    () => ({
      sort: setSort,
      prefs: setPrefs,
      open: (position) => setOpened({ identity, position }),
      active: (position) => {
        setActive(position);
        setOpened((held) => (held?.identity === identity ? { identity, position } : null));
      },
      selected: setSelected,
      copying: (rows) => {
        setTold("");
        setCopying(`Copying ${plural(rows, "row")}`);
      },
      copy: (text, copied) => {
        backend.copyText(text).then(
          () => {
            setCopying("");
            setCopyFailure(null);
            setTold(copiedText(copied));
          },
          (error: unknown) => {
            setCopying("");
            setCopyFailure(toFailure(error));
          },
        );
      },
      menu: setMenu,
      said: setTold,
      outdated: reload,
      reading: (error) => setFailed(error === null ? null : { identity, failure: toFailure(error) }),
      copyFailed: (error) => {
        setCopying("");
        if (error instanceof RowsChanged) setTold("The rows have changed; copy again");
        else setCopyFailure(toFailure(error));
      },
    }),
    [backend, setSort, setPrefs, identity, reload],
  );
  const perform = (command: MenuCommand, at: MenuAt) => {
    if (command === "hide") setPrefs(withHidden(shape.columns, prefs, at.path));
    else if (command === "show_all") setPrefs({ ...prefs, hidden: [] });
    else if (command === "copy_name") {
      backend.copyText(at.path).then(
        () => setTold(`Copied ${at.path}`),
        (error: unknown) => setCopyFailure(toFailure(error)),
      );
    } else grid.current?.perform(command, at);
    // The cell that had the keyboard may have been drawn anew meanwhile.
    if (command !== "open") grid.current?.focus();
  };
  const hasRows = shape.rows > 0;
  useEffect(() => {
    selectRef.current = () => {
      if (!hasRows) return;
      grid.current?.focus();
      grid.current?.perform("select_all", { row: null, path: null });
    };
    return () => {
      selectRef.current = null;
    };
  }, [selectRef, hasRows]);
  const close = useCallback(() => {
    setOpened(null);
    grid.current?.focus();
  }, []);

  const shownRow =
    opened !== null && opened.identity === identity && opened.position < shape.rows ? opened.position : null;
  return (
    <div
      className="role-pane"
      onKeyDown={(event) => {
        // The drawer closes from the rows, too; a run goes on.
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
        <GridView
          ref={grid}
          label={LABELS[role]}
          content={content}
          prefs={prefs}
          sort={sort}
          handlers={handlers}
        />
        {!hasRows && <p className="grid-none">{NO_ROWS[role][props.filtered ? "filtered" : "unfiltered"]}</p>}
        <footer className="grid-foot faint">
          <span className="num" data-testid="grid-position">
            {active === null ? plural(shape.rows, "row") : `row ${count(active + 1)} of ${count(shape.rows)}`}
          </span>
          <span role="status" data-testid="grid-selection">
            {selectionText(selected)}
          </span>
          <span role="status" data-testid="grid-told">
            {told === "" ? copying : told}
          </span>
          <span className="grid-hints">
            {HINTS.map((hint) => (
              <span key={hint}>{hint}</span>
            ))}
          </span>
        </footer>
      </div>
      {menu !== null && (
        <GridMenu
          at={menu}
          column={shape.columns.find((column) => column.path === menu.path)}
          sort={sort}
          hidden={shape.columns.some((column) => prefs.hidden.includes(column.path))}
          canHide={shown(shape.columns, prefs).length > 1}
          perform={(command) => perform(command, menu)}
          close={() => setMenu(null)}
        />
      )}
      {shownRow !== null && (
        <RowDrawer
          viewKey={viewKey}
          role={role}
          sort={sort}
          position={shownRow}
          identity={identity}
          stamp={stamp}
          generation={shape.generation}
          outdated={reload}
          zone={zone}
          close={close}
        />
      )}
    </div>
  );
}

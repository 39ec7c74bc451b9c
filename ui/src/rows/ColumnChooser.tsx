import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button, Checkbox, Dialog, DialogTrigger, Popover } from "react-aria-components";

import type { ColumnView, Sort } from "../backend";
import type { Command } from "../controls/commands";
import { Icon } from "../controls/icons";
import { commandOf } from "../controls/keys";
import { arrange, columnName, type ColumnPrefs, type Columns, NO_PREFS, step } from "./grid/columns";
import { orderWord } from "./grid/order";
import { clickSort, rankOf } from "./grid/sorting";

interface Props {
  shape: Columns;
  prefs: ColumnPrefs;
  change: (prefs: ColumnPrefs) => void;
  sorts: readonly Sort[];
  setSorts: (sorts: Sort[]) => void;
  /** The named layouts. */
  children?: ReactNode;
}

/** Shows, hides, moves and sorts columns, all by keyboard. */
export function ColumnChooser({ shape, prefs, change, sorts, setSorts, children }: Props) {
  const { columns } = shape;
  const hidden = new Set(prefs.hidden);
  const hiddenHere = columns.filter((column) => hidden.has(column.path)).length;
  return (
    <DialogTrigger>
      <Button className="button quiet" data-testid="columns-button" isDisabled={columns.length === 0}>
        <span aria-hidden="true" title="Columns">
          <Icon name="columns" />
        </span>
        <span className="columns-word">Columns</span>
        {hiddenHere > 0 && (
          <span className="faint num">
            {" "}
            {columns.length - hiddenHere}/{columns.length}, {hiddenHere} hidden
          </span>
        )}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="popover-body columns-dialog" aria-label="Columns">
          <div className="field-head">
            <span className="field-label">Columns</span>
            <Button className="link" onPress={() => change(NO_PREFS)} data-testid="columns-reset">
              Reset columns
            </Button>
          </div>
          <ColumnList shape={shape} prefs={prefs} change={change} sorts={sorts} setSorts={setSorts} />
          {children}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

const STEPS: Record<Command<"columns">, -1 | 1> = { column_up: -1, column_down: 1 };

/** The column that was moved last and the control that moved it, so that the control keeps the focus. */
interface Moved {
  path: string;
  control: string;
}

function ColumnList({ shape, prefs, change, sorts, setSorts }: Props) {
  const hidden = new Set(prefs.hidden);
  const list = useRef<HTMLUListElement>(null);
  const moved = useRef<Moved | null>(null);
  const [announcement, announce] = useState("");
  const placed = arrange(shape, prefs);

  // A list item that moves within the page loses the focus.
  useEffect(() => {
    const last = moved.current;
    moved.current = null;
    if (last === null) return;
    const row = [...(list.current?.children ?? [])].find(
      (item) => item.getAttribute("data-path") === last.path,
    );
    row
      ?.querySelector<HTMLElement>(`[data-control=${last.control}], [data-control=${last.control}] input`)
      ?.focus();
  }, [prefs]);

  const show = (path: string, on: boolean) => {
    const rest = prefs.hidden.filter((held) => held !== path);
    change({ ...prefs, hidden: on ? rest : [...rest, path] });
  };
  const sortWord = (column: ColumnView) => {
    const sort = sorts.find(({ path }) => path === column.path);
    if (sort === undefined) return "Sort";
    const rank = rankOf(sorts, column.path);
    const word = orderWord(column, sort.descending);
    return rank === null ? word : `${rank}: ${word}`;
  };
  const move = (column: ColumnView, by: -1 | 1, control: string) => {
    const { path } = column;
    const order = step(
      placed.map(({ column }) => column.path),
      path,
      by,
    );
    moved.current = { path, control };
    change({ ...prefs, order });
    announce(`${columnName(column)} is column ${order.indexOf(path) + 1} of ${order.length}`);
  };
  const pressed = (event: React.KeyboardEvent, column: ColumnView) => {
    const command = commandOf("columns", event);
    if (command === null) return;
    event.preventDefault();
    event.stopPropagation();
    const control = (event.target as HTMLElement).closest("[data-control]")?.getAttribute("data-control");
    move(column, STEPS[command], control ?? "show");
  };
  return (
    <>
      <ul className="column-list" ref={list}>
        {placed.map(({ column }) => (
          <li
            key={column.path}
            data-path={column.path}
            data-testid="column-row"
            onKeyDownCapture={(event) => pressed(event, column)}
          >
            <Checkbox
              className="checkbox"
              data-control="show"
              isSelected={!hidden.has(column.path)}
              onChange={(on) => show(column.path, on)}
            >
              <span className="checkbox-box" aria-hidden="true" />
              <span className="column-path" title={column.label === null ? undefined : column.path}>
                {columnName(column)}
              </span>
            </Checkbox>
            <span className="faint column-types">{column.types.join(", ")}</span>
            <Button
              className="link"
              data-control="sort"
              aria-label={`Sort by ${columnName(column)}`}
              onPress={({ shiftKey }) => setSorts(clickSort(sorts, column.path, shiftKey))}
            >
              {sortWord(column)}
            </Button>
            <Button
              className="icon-button column-move"
              data-control="up"
              aria-label={`Move ${columnName(column)} up`}
              onPress={() => move(column, -1, "up")}
            >
              <Icon name="up" size={12} />
            </Button>
            <Button
              className="icon-button column-move"
              data-control="down"
              aria-label={`Move ${columnName(column)} down`}
              onPress={() => move(column, 1, "down")}
            >
              <Icon name="chevron" size={12} />
            </Button>
          </li>
        ))}
      </ul>
      <span className="visually-hidden" role="status" data-testid="column-announcement">
        {announcement}
      </span>
    </>
  );
}

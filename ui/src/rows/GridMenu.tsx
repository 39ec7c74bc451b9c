import { Header, MenuSection, Separator } from "react-aria-components";

import type { ColumnView, Sort } from "../backend";
import { CommandItem } from "../controls/CommandMenu";
import { PointMenu } from "../controls/PointMenu";
import { cellFilters, cellFilterText } from "./cellFilter";
import type { MenuAt } from "./grid/contract";
import type { GridCommand } from "./grid/gridKeys";
import { columnName } from "./grid/columns";
import { orderWord } from "./grid/order";

/** The commands of the menu: those of the grid, and those that change its columns from outside. */
export type MenuCommand = GridCommand | "hide" | "show_all" | "copy_name";

interface Props {
  at: MenuAt;
  column: ColumnView | undefined;
  /** The value of the cell; undefined on a heading, or if it has not been read. */
  value: string | null | undefined;
  sorts: readonly Sort[];
  /** Whether other columns are hidden. */
  hidden: boolean;
  /** Whether the column is pinned. */
  pinned: boolean;
  /** Whether another column would be left if this one were hidden. */
  canHide: boolean;
  /** Why the cell cannot be a filter of the query; null if it can. */
  noQueryFilter: string | null;
  perform: (command: MenuCommand) => void;
  close: () => void;
}

/** The commands for a cell or a column, at the pointer or the active cell. */
export function GridMenu(props: Props) {
  const { at, column, value, sorts, hidden, pinned, canHide, noQueryFilter, perform, close } = props;
  const { path } = at;
  const name = column === undefined ? path : columnName(column);
  const isSorted = sorts.some((sort) => sort.path === path);
  const canFollow = sorts.some((sort) => sort.path !== path);
  const off = [
    ...(isSorted ? [] : ["sort_off", "then_sort_off"]),
    ...(canHide ? [] : ["hide"]),
    ...(noQueryFilter === null ? [] : ["query_filter"]),
  ];
  return (
    <PointMenu
      x={at.x}
      y={at.y}
      label={at.row === null ? `Column ${name}` : "Cells"}
      testId="grid-menu"
      disabled={off}
      perform={(command) => perform(command as MenuCommand)}
      close={close}
    >
      {at.row !== null && (
        <MenuSection aria-label="Cells">
          <CommandItem place="rows" id="copy" />
          <CommandItem place="rows" id="copy_with_heading" />
          <CommandItem place="rows" id="copy_shown" />
          <CommandItem place="rows" id="copy_shown_with_heading" />
          <CommandItem place="rows" id="open" />
          <CommandItem place="rows" id="trade" />
          <CommandItem place="rows" id="select_row" />
          <CommandItem place="rows" id="select_column" />
          <CommandItem place="rows" id="select_all" />
        </MenuSection>
      )}
      {at.row !== null && <Separator className="menu-line" />}
      {at.row !== null && (
        <MenuSection aria-label="Filter">
          {cellFilters(value, column).map((id) => (
            <CommandItem key={id} place="rows" id={id} label={cellFilterText(id, value)} />
          ))}
          <CommandItem place="rows" id="query_filter" hint={noQueryFilter ?? undefined} />
        </MenuSection>
      )}
      {at.row !== null && <Separator className="menu-line" />}
      <MenuSection>
        <Header className="menu-head">{name}</Header>
        <CommandItem place="rows" id="sort_up" label={`Sort: ${orderWord(column, false)}`} />
        <CommandItem place="rows" id="sort_down" label={`Sort: ${orderWord(column, true)}`} />
        <CommandItem place="rows" id="sort_off" />
        {canFollow && (
          <>
            <CommandItem place="rows" id="then_sort_up" label={`Then sort: ${orderWord(column, false)}`} />
            <CommandItem place="rows" id="then_sort_down" label={`Then sort: ${orderWord(column, true)}`} />
            <CommandItem place="rows" id="then_sort_off" />
          </>
        )}
        <CommandItem place="rows" id="values" label="Filter by values" />
        <CommandItem place="rows" id="sums" label="Add up the column" />
        <CommandItem place="rows" id="column_summary" label="What the column contains" />
        <CommandItem place="rows" id="group_by" label="Group the rows by it" />
        <CommandItem place="rows" id="colour" label="Colour the rows by it, or no longer" />
        <CommandItem place="rows" id="format" label="Format of numbers and times" />
        <CommandItem place="headings" id="fit" />
        <CommandItem place="rows" id={pinned ? "unpin_column" : "pin_column"} />
        <CommandItem place="rows" id="move_left" />
        <CommandItem place="rows" id="move_right" />
        <CommandItem place="headings" id="copy_name" />
        <CommandItem place="headings" id="hide" />
        {hidden && <CommandItem place="headings" id="show_all" />}
      </MenuSection>
    </PointMenu>
  );
}

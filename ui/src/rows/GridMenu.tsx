import { Header, MenuSection, Separator } from "react-aria-components";

import type { ColumnView, Sort } from "../backend";
import type { Command } from "../controls/commands";
import { keyText } from "../controls/keys";
import { PointMenu, PointMenuItem } from "../controls/PointMenu";
import type { MenuAt } from "./grid/contract";
import type { GridCommand } from "./grid/gridKeys";
import { columnName } from "./grid/columns";
import { orderWord } from "./grid/order";

/** The commands of the menu: those of the grid, and those that change its columns from outside. */
export type MenuCommand = GridCommand | "hide" | "show_all" | "copy_name";

/** A command that has keys. */
function KeyItem({ id, label }: { id: Command<"rows">; label: string }) {
  return <PointMenuItem id={id} label={label} keys={keyText("rows", id)} />;
}

interface Props {
  at: MenuAt;
  column: ColumnView | undefined;
  sorts: readonly Sort[];
  /** Whether other columns are hidden. */
  hidden: boolean;
  /** Whether another column would be left if this one were hidden. */
  canHide: boolean;
  perform: (command: MenuCommand) => void;
  close: () => void;
}

/** The commands for a cell or a column, at the pointer or the active cell. */
export function GridMenu({ at, column, sorts, hidden, canHide, perform, close }: Props) {
  const { path } = at;
  const name = column === undefined ? path : columnName(column);
  const isSorted = sorts.some((sort) => sort.path === path);
  const canFollow = sorts.some((sort) => sort.path !== path);
  const off = [...(isSorted ? [] : ["sort_off", "then_sort_off"]), ...(canHide ? [] : ["hide"])];
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
          <KeyItem id="copy" label="Copy" />
          <KeyItem id="copy_with_heading" label="Copy with headings" />
          <KeyItem id="open" label="Show the document" />
          <KeyItem id="select_row" label="Select the row" />
          <KeyItem id="select_column" label="Select the column" />
          <KeyItem id="select_all" label="Select all" />
        </MenuSection>
      )}
      {at.row !== null && <Separator className="menu-line" />}
      <MenuSection>
        <Header className="menu-head">{name}</Header>
        <KeyItem id="sort_up" label={`Sort: ${orderWord(column, false)}`} />
        <KeyItem id="sort_down" label={`Sort: ${orderWord(column, true)}`} />
        <KeyItem id="sort_off" label="Remove the sort" />
        {canFollow && (
          <>
            <KeyItem id="then_sort_up" label={`Then sort: ${orderWord(column, false)}`} />
            <KeyItem id="then_sort_down" label={`Then sort: ${orderWord(column, true)}`} />
            <KeyItem id="then_sort_off" label="Remove this column from the sort" />
          </>
        )}
        <PointMenuItem id="fit" label="Fit the width to the content" />
        <KeyItem id="move_left" label="Move left" />
        <KeyItem id="move_right" label="Move right" />
        <PointMenuItem id="copy_name" label="Copy the column name" />
        <PointMenuItem id="hide" label="Hide the column" />
        {hidden && <PointMenuItem id="show_all" label="Show all columns" />}
      </MenuSection>
    </PointMenu>
  );
}

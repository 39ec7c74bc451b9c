import { Button, Menu, MenuItem, MenuTrigger, Popover, Text } from "react-aria-components";

import type { ColumnView } from "../../backend";
import { Icon } from "../../controls/icons";
import { nameIn } from "../grid/columns";

interface Props {
  columns: readonly ColumnView[];
  /** Null: the bars show the state of their days only. */
  path: string | null;
  choose: (path: string | null) => void;
  /** Why there is nothing to choose. */
  blocked: string | null;
  pending: boolean;
}

/** The id of the choice of no column: a path is never blank. */
const NONE = "";

/** Chooses the column by whose values the bars are stacked. */
export function StackMenu({ columns, path, choose, blocked, pending }: Props) {
  const name = path === null ? "state" : nameIn(columns, path);
  return (
    <MenuTrigger>
      <Button
        className="button quiet small stack-button"
        aria-label={`Stack the bars by a column. Now by ${name}${blocked === null ? "" : `. ${blocked}`}`}
        isDisabled={blocked !== null}
        data-testid="stack-button"
      >
        <span className="stack-name">By {name}</span>
        {pending ? "…" : <Icon name="chevron" size={10} />}
      </Button>
      <Popover className="popover menu" placement="bottom end" offset={2}>
        <Menu
          className="menu-list"
          aria-label="Stack the bars by"
          selectionMode="single"
          selectedKeys={[path ?? NONE]}
          onAction={(key) => choose(key === NONE ? null : String(key))}
          data-testid="stack-menu"
        >
          <MenuItem id={NONE} className="menu-item" textValue="State">
            <Text slot="label">State only</Text>
            {path === null && <Icon name="check" size={12} />}
          </MenuItem>
          {columns.map((column) => (
            <MenuItem
              key={column.path}
              id={column.path}
              className="menu-item"
              textValue={nameIn(columns, column.path)}
            >
              <Text slot="label">{nameIn(columns, column.path)}</Text>
              {path === column.path && <Icon name="check" size={12} />}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

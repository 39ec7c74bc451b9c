import { Button, Checkbox, Dialog, DialogTrigger, Popover } from "react-aria-components";

import type { ColumnView, Sort } from "../backend";
import { arrange, type ColumnPrefs, NO_PREFS } from "../logic/columns";
import { Icon } from "./icons";

interface Props {
  columns: readonly ColumnView[];
  prefs: ColumnPrefs;
  change: (prefs: ColumnPrefs) => void;
  sort: Sort | null;
  setSort: (sort: Sort | null) => void;
}

/** Shows and hides columns, and sorts, all by keyboard. */
export function ColumnChooser({ columns, prefs, change, sort, setSort }: Props) {
  const hidden = new Set(prefs.hidden);
  const show = (path: string, on: boolean) => {
    const rest = prefs.hidden.filter((held) => held !== path);
    change({ ...prefs, hidden: on ? rest : [...rest, path] });
  };
  const cycle = (path: string) => {
    if (sort?.path !== path) setSort({ path, descending: false });
    else setSort(sort.descending ? null : { path, descending: true });
  };
  const hiddenHere = columns.filter((column) => hidden.has(column.path)).length;
  return (
    <DialogTrigger>
      <Button className="button quiet" data-testid="columns-button" isDisabled={columns.length === 0}>
        <Icon name="columns" /> Columns
        {hiddenHere > 0 && (
          <span className="faint num">
            {" "}
            {columns.length - hiddenHere}/{columns.length}
          </span>
        )}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="popover-body columns-dialog" aria-label="Columns">
          <div className="field-head">
            <span className="field-label">Columns</span>
            <Button className="link" onPress={() => change(NO_PREFS)} data-testid="columns-reset">
              Show all, as delivered
            </Button>
          </div>
          <ul className="column-list">
            {arrange(columns, prefs).map(({ column }) => (
              <li key={column.path}>
                <Checkbox
                  className="checkbox"
                  isSelected={!hidden.has(column.path)}
                  onChange={(on) => show(column.path, on)}
                >
                  <span className="checkbox-box" aria-hidden="true" />
                  <span className="column-path">{column.path}</span>
                </Checkbox>
                <span className="faint column-types">{column.types.join(", ")}</span>
                <Button
                  className="link"
                  aria-label={`Sort by ${column.path}`}
                  onPress={() => cycle(column.path)}
                >
                  {sort?.path === column.path ? (sort.descending ? "descending" : "ascending") : "sort"}
                </Button>
              </li>
            ))}
          </ul>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

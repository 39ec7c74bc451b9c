import type { ColumnFilter, ColumnView, Role, ViewKey } from "../backend";
import { conditionOf, othersOf, rowQuery, withCondition } from "./filters";
import { columnName } from "./grid/columns";
import { ColumnSummary } from "./summary/ColumnSummary";
import type { Narrowing } from "./useNarrowed";
import { ValuesDialog } from "./ValuesDialog";

/** What is shown about a column, and where. */
export interface ColumnDialog {
  kind: "values" | "summary";
  path: string;
  at: { x: number; y: number };
}

interface Props {
  dialog: ColumnDialog;
  role: Role;
  viewKey: ViewKey;
  columns: readonly ColumnView[];
  filters: ColumnFilter[];
  stamp: string;
  zone: string;
  propose: Narrowing["propose"];
  close: () => void;
}

/** What is asked about one column, beside its heading. */
export function ColumnDialogs({
  dialog,
  role,
  viewKey,
  columns,
  filters,
  stamp,
  zone,
  propose,
  close,
}: Props) {
  const { kind, path, at } = dialog;
  const column = columns.find((one) => one.path === path);
  if (column === undefined) return null;
  const shared = { at, viewKey, stamp, close };
  if (kind === "values") {
    return (
      <ValuesDialog
        {...shared}
        path={path}
        name={columnName(column)}
        rows={rowQuery(role, [], othersOf(filters, path))}
        condition={conditionOf(filters, path)}
        apply={(condition) => propose(path, (held) => withCondition(held, path, condition))}
      />
    );
  }
  return (
    <ColumnSummary
      {...shared}
      column={column}
      rows={rowQuery(role, [], filters)}
      zone={zone}
      apply={(condition) => propose(path, (held) => withCondition(held, path, condition))}
    />
  );
}

import type { ColumnFilter, ColumnView, DaySpan, Role, ViewKey } from "../backend";
import { conditionOf, othersOf, rowQuery, withCondition } from "./filters";
import { FormatDialog } from "./FormatDialog";
import { type Formats, NO_FORMATS, type Zones } from "./grid/cellFormat";
import { columnName } from "./grid/columns";
import { ColumnSummary } from "./summary/ColumnSummary";
import type { Narrowing } from "./useNarrowed";
import { ValuesDialog } from "./ValuesDialog";

/** The commands that open something about a column. */
const KINDS = ["values", "column_summary", "format"] as const;

type Kind = (typeof KINDS)[number];

/** What is shown about a column, and where. */
export interface ColumnDialog {
  kind: Kind;
  path: string;
  at: { x: number; y: number };
}

/** Whether a command opens something about a column. */
export function isDialog(command: string): command is Kind {
  return KINDS.some((kind) => kind === command);
}

interface Props {
  dialog: ColumnDialog;
  role: Role;
  viewKey: ViewKey;
  columns: readonly ColumnView[];
  filters: ColumnFilter[];
  /** The days that the rows are narrowed to; null for all. */
  days: DaySpan[] | null;
  stamp: string;
  zone: string;
  zones: Zones;
  formats: Formats | undefined;
  setFormats: (formats: Formats) => void;
  propose: Narrowing["propose"];
  close: () => void;
}

/** What is asked about one column, beside its heading. */
export function ColumnDialogs(props: Props) {
  const { dialog, role, viewKey, columns, filters, days, stamp, propose, close } = props;
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
        rows={rowQuery(role, [], othersOf(filters, path), days)}
        condition={conditionOf(filters, path)}
        apply={(condition) => propose(path, (held) => withCondition(held, path, condition))}
      />
    );
  }
  if (kind === "format") {
    const { formats = NO_FORMATS, setFormats, zones } = props;
    return (
      <FormatDialog
        at={at}
        column={column}
        formats={formats}
        zones={zones}
        change={setFormats}
        close={close}
      />
    );
  }
  return (
    <ColumnSummary
      {...shared}
      column={column}
      rows={rowQuery(role, [], filters, days)}
      zone={props.zone}
      apply={(condition) => propose(path, (held) => withCondition(held, path, condition))}
    />
  );
}

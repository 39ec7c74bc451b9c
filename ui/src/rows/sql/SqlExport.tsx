import type { RefObject } from "react";

import type { ColumnView } from "../../backend";
import { ExportAction } from "../ExportAction";
import { exportName } from "../ExportDialog";
import { optionsOf } from "../exportOptions";
import { shown as shownColumns } from "../grid/columns";
import type { Exporter } from "../useExport";
import { sortsOf } from "./resultColumns";
import type { Ran, Shown } from "./useSql";

interface Props {
  ran: Ran | null;
  columns: ColumnView[];
  shown: Shown;
  /** The answer is partial, and the file must not look complete. */
  partial: boolean;
  zone: string;
  exporter: Exporter;
  /** Set to what opens the dialog, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
}

/** Asks how a result is to be written, and writes it. */
export function SqlExport({ ran, columns, shown, partial, zone, exporter, exportRef }: Props) {
  const writing = exporter.state.status === "writing";
  const blocked = writing ? "Another export is running." : ran === null ? "There is no result yet." : null;
  const reading_order = columns.map((_, place) => place);
  const placed = shownColumns({ columns, reading_order }, shown.prefs);
  const rows = ran?.result.rows ?? 0;
  const start = () => {
    if (ran === null) return;
    const names = placed.map(({ column }) => column.path);
    const options = optionsOf(exporter.choice, names);
    exporter.startSql(ran.rows.key, ran.result.id, sortsOf(columns, shown.sorts), options);
  };
  return (
    <ExportAction
      name={exportName(partial, false)}
      what="the result"
      testId="sql-export"
      rows={{ shown: rows, all: rows, narrowed: false }}
      columns={{ shown: placed.length, all: columns.length }}
      areDocuments={false}
      {...{ blocked, zone, exporter, exportRef, start }}
    />
  );
}

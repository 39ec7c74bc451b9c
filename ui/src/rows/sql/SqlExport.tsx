import { type RefObject, useEffect, useState } from "react";

import type { ColumnView } from "../../backend";
import { HintButton } from "../../controls/HintButton";
import { keyText } from "../../controls/keys";
import { ExportDialog, exportName } from "../ExportDialog";
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
  const { choice } = exporter;
  const [asking, setAsking] = useState(false);
  const writing = exporter.state.status === "writing";
  const blocked = writing ? "Another export is running." : ran === null ? "There is no result yet." : null;
  const ask = () => setAsking(blocked === null);
  useEffect(() => {
    exportRef.current = ask;
    return () => {
      exportRef.current = null;
    };
  });
  const name = exportName(partial, false);
  const reading_order = columns.map((_, place) => place);
  const placed = shownColumns({ columns, reading_order }, shown.prefs);
  const start = () => {
    setAsking(false);
    if (blocked !== null || ran === null) return;
    const names = placed.map(({ column }) => column.path);
    const { rows, result } = ran;
    exporter.startSql(rows.key, result.id, sortsOf(columns, shown.sorts), optionsOf(choice, names));
  };
  return (
    <>
      <HintButton
        className="button"
        testId="sql-export"
        hint={`Export the result to a file, in the order shown (${keyText("window", "export")})`}
        blocked={blocked}
        press={ask}
      >
        {name}
      </HintButton>
      {asking && ran !== null && (
        <ExportDialog
          choice={choice}
          change={exporter.setChoice}
          zone={zone}
          name={name}
          rows={{ shown: ran.result.rows, all: ran.result.rows, narrowed: false }}
          columns={{ shown: placed.length, all: columns.length }}
          isSql
          start={start}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}

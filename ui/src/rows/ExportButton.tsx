import { type RefObject, useEffect, useState } from "react";

import type { Role, Sort, ViewKey, ViewShape } from "../backend";
import { HintButton } from "../controls/HintButton";
import { keyText } from "../controls/keys";
import { ExportDialog, exportName } from "./ExportDialog";
import { optionsOf } from "./exportOptions";
import { rowQuery } from "./filters";
import { type ColumnPrefs, shown } from "./grid/columns";
import type { Exporter } from "./useExport";
import { isNarrowed, type Narrowed } from "./useNarrowed";

interface Props {
  role: Role;
  viewKey: ViewKey;
  shape: ViewShape | null;
  narrowed: Narrowed | null;
  sorts: Sort[];
  prefs: ColumnPrefs;
  /** The answer is partial, and the file must not look complete. */
  partial: boolean;
  /** Why nothing can be exported now; null if it can. */
  blocked: string | null;
  zone: string;
  exporter: Exporter;
  /** Set to what opens the dialog, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
}

/** Asks how the rows of a tab are to be written, and writes them. */
export function ExportButton(props: Props) {
  const { role, viewKey, shape, narrowed, sorts, prefs, partial, blocked, zone, exporter, exportRef } = props;
  const { choice } = exporter;
  const [asking, setAsking] = useState(false);
  const ask = () => setAsking(blocked === null);
  useEffect(() => {
    exportRef.current = ask;
    return () => {
      exportRef.current = null;
    };
  });
  const hasFilters = narrowed !== null && isNarrowed(narrowed);
  const name = exportName(partial, hasFilters && choice.shownRows);
  const columns = shape === null ? [] : shown(shape, prefs);
  const start = () => {
    setAsking(false);
    if (blocked !== null) return;
    const rows = choice.shownRows
      ? rowQuery(role, sorts, narrowed?.filters ?? [], narrowed?.days)
      : rowQuery(role, sorts, []);
    const paths = columns.map(({ column }) => column.path);
    exporter.start(viewKey, rows, optionsOf(choice, paths));
  };
  return (
    <>
      <HintButton
        className="button"
        testId="export-button"
        hint={`Export the rows of this tab to a file, in the order shown (${keyText("window", "export")})`}
        blocked={blocked}
        press={ask}
      >
        {name}
      </HintButton>
      {asking && shape && narrowed && (
        <ExportDialog
          choice={choice}
          change={exporter.setChoice}
          zone={zone}
          name={name}
          rows={{ shown: narrowed.rows, all: shape.rows, narrowed: hasFilters }}
          columns={{ shown: columns.length, all: shape.columns.length }}
          start={start}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}

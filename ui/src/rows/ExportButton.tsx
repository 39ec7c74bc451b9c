import type { RefObject } from "react";

import type { Role, Sort, ViewKey, ViewShape } from "../backend";
import { ExportAction } from "./ExportAction";
import { exportName } from "./ExportDialog";
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
  const hasFilters = narrowed !== null && isNarrowed(narrowed);
  const columns = shape === null ? [] : shown(shape, prefs);
  const start = () => {
    const rows = choice.shownRows
      ? rowQuery(role, sorts, narrowed?.filters ?? [], narrowed?.days)
      : rowQuery(role, sorts, []);
    const paths = columns.map(({ column }) => column.path);
    exporter.start(viewKey, rows, optionsOf(choice, paths));
  };
  return (
    <ExportAction
      name={exportName(partial, hasFilters && choice.shownRows)}
      what="the rows of this tab"
      testId="export-button"
      rows={{ shown: narrowed?.rows ?? 0, all: shape?.rows ?? 0, narrowed: hasFilters }}
      columns={{ shown: columns.length, all: shape?.columns.length ?? 0 }}
      areDocuments
      {...{ blocked, zone, exporter, exportRef, start }}
    />
  );
}

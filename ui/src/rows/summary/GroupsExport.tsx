import type { RefObject } from "react";

import type { GroupRequest, RowQuery, ViewKey } from "../../backend";
import { ExportAction } from "../ExportAction";
import { exportName } from "../ExportDialog";
import { optionsOf } from "../exportOptions";
import type { Exporter } from "../useExport";

interface Props {
  viewKey: ViewKey;
  rows: RowQuery;
  request: GroupRequest;
  /** How many groups there are; null while that is not known. */
  total: number | null;
  /** The answer is partial, and the file must not look complete. */
  partial: boolean;
  /** Whether filters leave out some of the rows. */
  filtered: boolean;
  zone: string;
  exporter: Exporter;
  /** Set to what opens the dialog, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
}

/** Asks how the groups are to be written, and writes all of them. */
export function GroupsExport(props: Props) {
  const { viewKey, rows, request, total, partial, filtered, zone, exporter, exportRef } = props;
  const writing = exporter.state.status === "writing";
  const blocked = writing ? "Another export is running." : total === null ? "There are no groups yet." : null;
  const start = () => exporter.startGroups(viewKey, rows, request, optionsOf(exporter.choice, []));
  return (
    <ExportAction
      name={exportName(partial, filtered)}
      what="the groups"
      testId="groups-export"
      rows={{ shown: total ?? 0, all: total ?? 0, narrowed: false }}
      columns={null}
      areDocuments={false}
      {...{ blocked, zone, exporter, exportRef, start }}
    />
  );
}

import { useCallback, useMemo, useRef, useState } from "react";

import {
  type Exported,
  type ExportFormat,
  type ExportProgress,
  type ExportOptions,
  type Failure,
  type GroupRequest,
  type RowQuery,
  type SqlSort,
  toFailure,
  type ViewKey,
} from "../backend";
import { useBackend } from "../backend/context";
import { useStored } from "../controls/useStored";
import { choiceOf, type ExportChoice, USUAL } from "./exportOptions";

export type ExportState =
  | { status: "none" }
  | { status: "writing"; format: ExportFormat; progress: ExportProgress | null }
  | { status: "done"; exported: Exported }
  | { status: "failed"; failure: Failure };

let lastExport = Date.now();

export interface Exporter {
  state: ExportState;
  /** What was chosen last, also before the window was started. */
  choice: ExportChoice;
  setChoice: (choice: ExportChoice) => void;
  start: (key: ViewKey, rows: RowQuery, options: ExportOptions) => void;
  /** Writes groups of rows. */
  startGroups: (key: ViewKey, rows: RowQuery, groups: GroupRequest, options: ExportOptions) => void;
  /** Writes a result of SQL in an order. */
  startSql: (key: ViewKey, id: number, sorts: SqlSort[], options: ExportOptions) => void;
  cancel: () => void;
  dismiss: () => void;
}

/** One export at a time, with its progress and its result. */
export function useExport(): Exporter {
  const backend = useBackend();
  const [state, setState] = useState<ExportState>({ status: "none" });
  const [stored, setChoice] = useStored<Partial<ExportChoice>>("tidemark.export", USUAL);
  const choice = useMemo(() => choiceOf(stored), [stored]);
  const running = useRef<number | null>(null);

  const begin = useCallback(
    (
      format: ExportFormat,
      write: (id: number, onProgress: (progress: ExportProgress) => void) => Promise<Exported | null>,
    ) => {
      if (running.current !== null) return;
      lastExport += 1;
      const id = lastExport;
      running.current = id;
      setState({ status: "writing", format, progress: null });
      const onProgress = (progress: ExportProgress) => {
        if (running.current === id) setState({ status: "writing", format, progress });
      };
      write(id, onProgress).then(
        (exported) => {
          running.current = null;
          setState(exported === null ? { status: "none" } : { status: "done", exported });
        },
        (error: unknown) => {
          running.current = null;
          const failure = toFailure(error);
          setState(failure.code === "cancelled" ? { status: "none" } : { status: "failed", failure });
        },
      );
    },
    [],
  );
  const start = useCallback<Exporter["start"]>(
    (key, rows, options) =>
      begin(options.format, (id, onProgress) => backend.exportRows(id, key, rows, options, onProgress)),
    [backend, begin],
  );
  const startGroups = useCallback<Exporter["startGroups"]>(
    (key, rows, groups, options) =>
      begin(options.format, (id, onProgress) =>
        backend.exportGroups(id, key, rows, groups, options, onProgress),
      ),
    [backend, begin],
  );
  const startSql = useCallback<Exporter["startSql"]>(
    (key, result, sorts, options) =>
      begin(options.format, (id, onProgress) =>
        backend.exportSql(id, key, result, sorts, options, onProgress),
      ),
    [backend, begin],
  );

  const cancel = useCallback(() => {
    if (running.current !== null) void backend.cancelExport(running.current).catch(() => undefined);
  }, [backend]);

  const dismiss = useCallback(() => {
    // A running export can be cancelled, but not dismissed.
    if (running.current === null) setState({ status: "none" });
  }, []);
  return { state, choice, setChoice, start, startGroups, startSql, cancel, dismiss };
}

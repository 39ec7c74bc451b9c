import { useCallback, useRef, useState } from "react";

import {
  type Exported,
  type ExportProgress,
  type Failure,
  type RowQuery,
  toFailure,
  type ViewKey,
} from "../backend";
import { useBackend } from "../backend/context";

export type ExportState =
  | { status: "none" }
  | { status: "writing"; progress: ExportProgress | null }
  | { status: "done"; exported: Exported }
  | { status: "failed"; failure: Failure };

let lastExport = Date.now();

export interface Exporter {
  state: ExportState;
  /** Whether texts that a spreadsheet would take for formulas are protected. */
  spreadsheetSafe: boolean;
  setSpreadsheetSafe: (safe: boolean) => void;
  start: (key: ViewKey, rows: RowQuery) => void;
  cancel: () => void;
  dismiss: () => void;
}

/** One export at a time, with its progress and its result. */
export function useExport(): Exporter {
  const backend = useBackend();
  const [state, setState] = useState<ExportState>({ status: "none" });
  const [spreadsheetSafe, setSpreadsheetSafe] = useState(false);
  const running = useRef<number | null>(null);

  const start = useCallback(
    (key: ViewKey, rows: RowQuery) => {
      if (running.current !== null) return;
      lastExport += 1;
      const id = lastExport;
      running.current = id;
      setState({ status: "writing", progress: null });
      const onProgress = (progress: ExportProgress) => {
        if (running.current === id) setState({ status: "writing", progress });
      };
      backend.exportCsv(id, key, rows, { columns: [], spreadsheet_safe: spreadsheetSafe }, onProgress).then(
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
    [backend, spreadsheetSafe],
  );

  const cancel = useCallback(() => {
    if (running.current !== null) void backend.cancelExport(running.current).catch(() => undefined);
  }, [backend]);

  const dismiss = useCallback(() => {
    // A running export can be cancelled, but not dismissed.
    if (running.current === null) setState({ status: "none" });
  }, []);
  return { state, spreadsheetSafe, setSpreadsheetSafe, start, cancel, dismiss };
}

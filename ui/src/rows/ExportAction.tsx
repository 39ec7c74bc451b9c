import { type RefObject, useEffect, useState } from "react";

import { HintButton } from "../controls/HintButton";
import { keyText } from "../controls/keys";
import { ExportDialog } from "./ExportDialog";
import type { Exporter } from "./useExport";

export interface ExportActionProps {
  /** What the button is called: a part is never exported as the whole. */
  name: string;
  /** What is exported, in words. */
  what: string;
  testId: string;
  /** Why nothing can be exported now; null if it can. */
  blocked: string | null;
  exporter: Exporter;
  zone: string;
  rows: { shown: number; all: number; narrowed: boolean };
  /** Null if there is no choice of columns. */
  columns: { shown: number; all: number } | null;
  /** Whether the rows are documents, which JSON lines can have whole. */
  areDocuments: boolean;
  /** Set to what opens the dialog, for the window's shortcut. */
  exportRef: RefObject<(() => void) | null>;
  /** Writes the file as was chosen. */
  start: () => void;
}

/** A button that asks how something is to be written, and writes it. */
export function ExportAction(props: ExportActionProps) {
  const { name, what, testId, blocked, exporter, exportRef, start } = props;
  const [asking, setAsking] = useState(false);
  const ask = () => setAsking(blocked === null);
  useEffect(() => {
    exportRef.current = ask;
    return () => {
      exportRef.current = null;
    };
  });
  return (
    <>
      <HintButton
        className="button"
        testId={testId}
        hint={`Export ${what} to a file, in the order shown (${keyText("window", "export")})`}
        blocked={blocked}
        press={ask}
      >
        {name}
      </HintButton>
      {asking && (
        <ExportDialog
          choice={exporter.choice}
          change={exporter.setChoice}
          zone={props.zone}
          name={name}
          rows={props.rows}
          columns={props.columns}
          areDocuments={props.areDocuments}
          start={() => {
            setAsking(false);
            if (blocked === null) start();
          }}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}

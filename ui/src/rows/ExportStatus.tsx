import { Button } from "react-aria-components";

import { FailureNote } from "../controls/FailureNote";
import { bytes, count, plural } from "../controls/format";
import { Icon } from "../controls/icons";
import { formatName } from "./exportOptions";
import type { Exporter } from "./useExport";

/** The progress of an export, and then where its file is. */
export function ExportStatus({ exporter }: { exporter: Exporter }) {
  const { state } = exporter;
  if (state.status === "none") return null;
  if (state.status === "failed") {
    return <FailureNote failure={state.failure} testId="export-failure" dismiss={exporter.dismiss} />;
  }
  if (state.status === "writing") {
    return (
      <div className="note" role="status" data-testid="export-progress">
        <div className="note-body num">
          {state.progress === null
            ? `Choose where to save the ${formatName(state.format)} file.`
            : `${count(state.progress.written)} of ${plural(state.progress.rows, "row")} written (${bytes(state.progress.bytes)}).`}
        </div>
        <Button className="button small" onPress={exporter.cancel} data-testid="export-cancel">
          Cancel
        </Button>
      </div>
    );
  }
  const { exported } = state;
  return (
    <div
      className={exported.complete ? "note" : "note note-partial"}
      role="status"
      data-testid="export-result"
    >
      <Icon name={exported.complete ? "check" : "warn"} />
      <div className="note-body">
        {exported.complete ? "Exported" : <strong>Exported a partial answer:</strong>}{" "}
        <span className="num">
          {plural(exported.rows, "row")} ({bytes(exported.bytes)})
        </span>{" "}
        to <span className="path">{exported.path}</span>
        {exported.manifest !== null && (
          <div>
            Manifest: <span className="path">{exported.manifest}</span>
          </div>
        )}
        {exported.note !== null && <div>{exported.note}</div>}
      </div>
      <Button className="icon-button" aria-label="Dismiss" onPress={exporter.dismiss}>
        <Icon name="close" size={12} />
      </Button>
    </div>
  );
}

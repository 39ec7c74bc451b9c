// How far an export has come, and where its file is.

import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";

import { ExportStatus } from "./ExportStatus";
import { USUAL } from "./exportOptions";
import type { ExportState } from "./useExport";

function show(state: ExportState): void {
  const nothing = () => undefined;
  const rest = {
    choice: USUAL,
    setChoice: nothing,
    start: nothing,
    startGroups: () => undefined,
    startSql: nothing,
    cancel: nothing,
  };
  render(<ExportStatus exporter={{ ...rest, state, dismiss: nothing }} />);
}

it("says how many of the rows are written", () => {
  show({ status: "writing", format: "csv", progress: { bytes: 2_400_000, written: 6_600, rows: 66_000 } });
  expect(screen.getByTestId("export-progress")).toHaveTextContent("6,600 of 66,000 rows written (2.4 MB).");
});

it("asks for a place first", () => {
  show({ status: "writing", format: "csv", progress: null });
  expect(screen.getByTestId("export-progress")).toHaveTextContent("Choose where to save the CSV file.");
});

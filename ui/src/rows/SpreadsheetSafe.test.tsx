import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { BackendContext } from "../backend/context";
import { makeFake } from "../test/fakeBackend";
import { ExportStatus } from "./ExportStatus";
import { SpreadsheetSafe } from "./SpreadsheetSafe";
import { useExport } from "./useExport";

const KEY = { signature: "0".repeat(32), from: "2026-11-01", to: "2026-11-30" };

function Held() {
  const exporter = useExport();
  return (
    <>
      <SpreadsheetSafe exporter={exporter} />
      <button onClick={() => exporter.start(KEY, { role: "input", sorts: [] })}>Export</button>
      <ExportStatus exporter={exporter} />
    </>
  );
}

it("protects formulas only if asked, and says what became of an older file", async () => {
  const user = userEvent.setup();
  const { backend } = makeFake();
  const note = "x.partial.csv, from an earlier partial answer, was removed.";
  const exported = { path: "x.csv", rows: 2, bytes: 20, complete: true, note };
  vi.mocked(backend.exportCsv).mockResolvedValue(exported);
  render(
    <BackendContext value={backend}>
      <Held />
    </BackendContext>,
  );
  const box = screen.getByRole("checkbox", { name: "Safe for spreadsheets" });
  expect(box).not.toBeChecked();
  for (const safe of [false, true]) {
    await user.click(screen.getByText("Export"));
    const options = { columns: [], spreadsheet_safe: safe };
    expect(backend.exportCsv).toHaveBeenLastCalledWith(
      expect.any(Number),
      KEY,
      { role: "input", sorts: [] },
      options,
      expect.any(Function),
    );
    await user.click(box);
  }
  expect(await screen.findByTestId("export-result")).toHaveTextContent(note);
});

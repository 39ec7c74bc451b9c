import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import { BackendContext } from "../backend/context";
import { makeFake } from "../test/fakeBackend";
import { ExportDialog } from "./ExportDialog";
import { choiceOf, optionsOf, USUAL } from "./exportOptions";
import { ExportStatus } from "./ExportStatus";
import { useExport } from "./useExport";

const KEY = { signature: "0".repeat(32), from: "2026-11-01", to: "2026-11-30" };
const ROWS = { role: "input" as const, sorts: [] };

beforeEach(() => localStorage.clear());

function Held({ narrowed = false }: { narrowed?: boolean }) {
  const exporter = useExport();
  return (
    <>
      <ExportDialog
        choice={exporter.choice}
        change={exporter.setChoice}
        zone="Europe/Berlin"
        name="Export"
        rows={{ shown: 7, all: 66, narrowed }}
        areDocuments
        columns={{ shown: 2, all: 9 }}
        start={() => exporter.start(KEY, ROWS, optionsOf(exporter.choice, ["b", "a"]))}
        close={() => undefined}
      />
      <ExportStatus exporter={exporter} />
    </>
  );
}

function open(narrowed = false) {
  const user = userEvent.setup();
  const { backend } = makeFake();
  const note = "2 cells with a number or a date that a spreadsheet cannot hold exactly are written as text.";
  vi.mocked(backend.exportRows).mockResolvedValue({
    path: "x.xlsx",
    format: "xlsx",
    rows: 2,
    bytes: 20,
    complete: true,
    cells_as_text: 2,
    cut_texts: 0,
    manifest: "x.xlsx.manifest.json",
    note,
  });
  const show = () =>
    render(
      <BackendContext value={backend}>
        <Held narrowed={narrowed} />
      </BackendContext>,
    );
  const last = () => vi.mocked(backend.exportRows).mock.lastCall?.[3];
  return { user, show, last, note };
}

it("writes as it was chosen, and remembers the choice", async () => {
  const { user, show, last } = open();
  const shown = show();
  await user.click(screen.getByTestId("export-start"));
  expect(last()).toEqual({
    format: "csv",
    columns: [],
    separator: "comma",
    decimal_comma: false,
    byte_order_mark: false,
    zone: null,
    spreadsheet_safe: false,
    manifest: false,
  });
  await user.click(screen.getByRole("radio", { name: "Semicolon" }));
  await user.click(screen.getByRole("radio", { name: "Comma: 1,5" }));
  await user.click(screen.getByRole("radio", { name: "Europe/Berlin" }));
  await user.click(screen.getByRole("radio", { name: "The 2 shown of 9" }));
  await user.click(screen.getByRole("checkbox", { name: /^Byte order mark/ }));
  await user.click(screen.getByRole("checkbox", { name: /^Safe for spreadsheets/ }));
  await user.click(screen.getByRole("checkbox", { name: /^Write a manifest/ }));
  const chosen = {
    format: "csv",
    columns: ["b", "a"],
    separator: "semicolon",
    decimal_comma: true,
    byte_order_mark: true,
    zone: "Europe/Berlin",
    spreadsheet_safe: true,
    manifest: true,
  };
  await user.click(screen.getByTestId("export-start"));
  expect(last()).toEqual(chosen);
  shown.unmount();
  show();
  await user.click(screen.getByTestId("export-start"));
  expect(last()).toEqual(chosen);
});

it("says before a workbook is written that long numbers go as text, and afterwards how many did", async () => {
  const { user, show, last, note } = open();
  show();
  expect(screen.getByTestId("export-means")).not.toHaveTextContent("15 digits");
  await user.click(screen.getByRole("radio", { name: "Excel" }));
  expect(screen.getByTestId("export-means")).toHaveTextContent("more than 15 digits are written as text");
  // What only a CSV has is not offered.
  expect(screen.queryByTestId("export-separator")).toBeNull();
  await user.click(screen.getByTestId("export-start"));
  expect(last()).toMatchObject({ format: "xlsx" });
  expect(await screen.findByTestId("export-result")).toHaveTextContent(note);
  expect(screen.getByTestId("export-result")).toHaveTextContent("Manifest: x.xlsx.manifest.json");
});

it("asks for what is shown or all rows if filters narrow them", async () => {
  const { user, show } = open(true);
  show();
  expect(screen.getByRole("radio", { name: "What is shown: 7 rows" })).toBeChecked();
  await user.click(screen.getByRole("radio", { name: "All 66 rows" }));
  expect(JSON.parse(localStorage.getItem("tidemark.export") ?? "")).toMatchObject({ shownRows: false });
});

it("takes what it does not know for the usual", () => {
  expect(choiceOf({ format: "ods" as "csv", separator: "pipe" as "tab", manifest: true })).toEqual({
    ...USUAL,
    manifest: true,
  });
});

import { Checkbox } from "react-aria-components";

import type { Exporter } from "./useExport";

/** Whether exports protect texts that a spreadsheet would take for formulas. */
export function SpreadsheetSafe({ exporter }: { exporter: Exporter }) {
  return (
    <Checkbox
      className="checkbox"
      data-testid="spreadsheet-safe"
      isSelected={exporter.spreadsheetSafe}
      onChange={exporter.setSpreadsheetSafe}
    >
      <span className="checkbox-box" aria-hidden="true" />
      <span className="checkbox-text" title="Safe for spreadsheets">
        Safe for spreadsheets
      </span>
    </Checkbox>
  );
}

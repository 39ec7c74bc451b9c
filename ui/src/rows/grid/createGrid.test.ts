import { expect, it } from "vitest";

import type { ColumnView } from "../../backend";
import { NO_FORMATS, withFormat } from "./cellFormat";
import { toTableColumns } from "./createGrid";

const zones = { days: "Europe/London", local: "America/New_York" };

/** A cell of a column as it is drawn. */
function draw(types: string[], value: string, zone: string, formats = NO_FORMATS): string | HTMLElement {
  const column: ColumnView = { path: "at", label: null, types, numeric: false };
  const [made] = toTableColumns([{ column, index: 0 }], { zone, zones, formats }, () => 100);
  const formatter = made?.formatter as
    ((row: number, cell: number, value: unknown) => string | HTMLElement) | undefined;
  return formatter?.(0, 0, value) ?? "";
}

it("leaves a time as it is, and reads it in the zone of the window in its tooltip", () => {
  const cell = draw(["date"], "2025-07-03T09:30:00.123Z", "Europe/London");
  expect(cell).toBeInstanceOf(HTMLElement);
  expect((cell as HTMLElement).textContent).toBe("2025-07-03T09:30:00.123Z");
  expect((cell as HTMLElement).title).toBe("2025-07-03 10:30:00 Europe/London");
});

it("says nothing more of UTC, of other text, and of columns without times", () => {
  expect(draw(["date"], "2025-07-03T09:30:00Z", "UTC")).toBe("2025-07-03T09:30:00Z");
  expect(draw(["date", "string"], "soon", "Europe/London")).toBe("soon");
  expect(draw(["string"], "2025-07-03T09:30:00Z", "Europe/London")).toBe("2025-07-03T09:30:00Z");
});

it("shows a time in the zone that was chosen, and what is stored in its tooltip", () => {
  const formats = withFormat(NO_FORMATS, "at", { time: "local" });
  const cell = draw(["date"], "2025-07-03T09:30:00.123Z", "Europe/London", formats) as HTMLElement;
  expect(cell.textContent).toBe("2025-07-03 05:30:00.123");
  expect(cell.title).toBe("2025-07-03T09:30:00.123Z");
});

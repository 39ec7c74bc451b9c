// The text that a copy puts on the clipboard: as stored or as shown, without or with the headings.

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { ColumnView } from "../../backend";
import type { CopyCommand } from "./copySelection";
import { GridStage, makeContent } from "./gridStage";
import { cellsAt } from "./pageCache";

const column = (path: string, types: string[], part: Partial<ColumnView> = {}): ColumnView => ({
  path,
  label: null,
  types,
  numeric: false,
  ...part,
});
const COLUMNS = [
  column("deal.id", ["string"], { label: "Deal" }),
  column("lots", ["int64"], { numeric: true }),
  column("traded", ["date"]),
  column("note", ["string"]),
];
const ROWS = [
  ["T1", "9007199254740993", "2025-07-01T09:30:00.120Z", 'say "hi"'],
  ["T2", "-1250.5", "2025-01-31T23:30:00Z", null],
];

let stage: GridStage;
beforeEach(() => {
  stage = new GridStage();
  stage.prefs = {
    ...stage.prefs,
    formats: {
      all: { number: { separator: "comma", decimals: 1, sign: "brackets" } },
      of: { traded: { time: "days" } },
    },
  };
  stage.grid.show(
    {
      ...makeContent("formats", ROWS.length),
      columns: COLUMNS,
      reading_order: [0, 1, 2, 3],
      zones: { days: "Europe/London", local: "UTC" },
      read: (offset, limit, places) =>
        Promise.resolve({
          rows: ROWS.slice(offset, offset + limit).map((row) => cellsAt(row, places)),
          generation: 1,
        }),
    },
    stage.prefs,
    [],
  );
});
afterEach(() => stage.end());

async function copied(command: CopyCommand): Promise<unknown> {
  stage.copy.mockClear();
  stage.grid.perform(command, { row: 0, path: "lots" });
  await vi.waitFor(() => expect(stage.copy).toHaveBeenCalledOnce());
  return stage.copy.mock.lastCall?.[0] as unknown;
}

const RAW = [
  'T1\t9007199254740993\t2025-07-01T09:30:00.120Z\t"say ""hi"""',
  "T2\t-1250.5\t2025-01-31T23:30:00Z\t",
].join("\n");
const SHOWN = [
  'T1\t9,007,199,254,740,993.0\t2025-07-01 10:30:00.120\t"say ""hi"""',
  "T2\t(1,250.5)\t2025-01-31 23:30:00\t",
].join("\n");

it("has the texts as they are stored, under the paths of the columns", async () => {
  stage.grid.perform("select_all", { row: null, path: null });
  expect(await copied("copy")).toBe(RAW);
  expect(await copied("copy_with_heading")).toBe(`deal.id\tlots\ttraded\tnote\n${RAW}`);
});

it("has numbers and times as they are shown, under the headings as they are shown", async () => {
  stage.grid.perform("select_all", { row: null, path: null });
  expect(await copied("copy_shown")).toBe(SHOWN);
  expect(await copied("copy_shown_with_heading")).toBe(`Deal\tlots\ttraded (Europe/London)\tnote\n${SHOWN}`);
});

it("has one cell without quotes, as stored or as shown", async () => {
  stage.click(1, 1);
  expect(await copied("copy")).toBe("-1250.5");
  expect(await copied("copy_shown")).toBe("(1,250.5)");
  expect(await copied("copy_shown_with_heading")).toBe("lots\n(1,250.5)");
});

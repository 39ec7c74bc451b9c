import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { ColumnView } from "../../backend";
import type { Content } from "./contract";
import { GridStage, makeContent } from "./gridStage";

const COLUMNS: ColumnView[] = Array.from({ length: 40 }, (_, place) => ({
  ...{ path: `field ${place}`, label: null, types: ["string"], numeric: false },
}));

let stage: GridStage;
const read = vi.fn<Content["read"]>((offset, limit, places) => {
  const rows = Array.from({ length: limit }, (_, at) => places.map((place) => `${offset + at}/${place}`));
  return Promise.resolve({ rows, generation: 1 });
});

beforeEach(() => {
  read.mockClear();
  stage = new GridStage();
});
afterEach(() => stage.end());

const show = () => {
  const reading_order = COLUMNS.map((_, place) => place);
  const content = { ...makeContent("wide", 5000), query: "wide", columns: COLUMNS, reading_order, read };
  stage.grid.show(content, stage.prefs, []);
};
const calls = (times: number) => vi.waitFor(() => expect(read).toHaveBeenCalledTimes(times));

it("reads all columns once, to fit their widths, and then those in sight", async () => {
  show();
  await calls(1);
  expect(read.mock.lastCall?.[2]).toHaveLength(40);
  stage.scrollTo(1110);
  await calls(2);
  const places = read.mock.lastCall?.[2] ?? [];
  expect(places).toEqual(Array.from({ length: places.length }, (_, place) => place));
  expect(places.length).toBeGreaterThan(3);
  expect(places.length).toBeLessThan(20);
});

it("reads a column of the same rows when it comes into sight, and shows that it is being read", async () => {
  show();
  await calls(1);
  stage.scrollTo(1110);
  await calls(2);
  const next = read.mock.lastCall?.[2].length ?? 0;
  await vi.waitFor(() => expect(stage.cell(1110, 0)?.textContent).toBe("1110/0"));
  // The grid draws cells ahead of what is in sight.
  expect(stage.cell(1110, next)?.querySelector(".cell-pending")).not.toBeNull();
  expect(stage.grid.valueAt({ row: 1110, path: `field ${next}` })).toBeUndefined();
  const viewport = stage.host.querySelector<HTMLElement>(".slick-viewport");
  if (viewport === null) throw new Error("no viewport");
  vi.spyOn(Element.prototype, "scrollWidth", "get").mockReturnValue(8000);
  viewport.scrollLeft = 200;
  viewport.dispatchEvent(new Event("scroll"));
  await calls(3);
  expect(read.mock.lastCall?.[2]).toContain(next);
  expect(read.mock.lastCall?.[2]).not.toContain(0);
  await vi.waitFor(() => expect(stage.cell(1110, next)?.textContent).toBe(`1110/${next}`));
});

it("copies cells out of sight as they are stored", async () => {
  show();
  await calls(1);
  stage.scrollTo(1110);
  await calls(2);
  stage.click(1110, 0);
  stage.grid.perform("select_row", { row: 1110, path: null });
  stage.grid.perform("copy", { row: 1110, path: null });
  await vi.waitFor(() => expect(stage.copy).toHaveBeenCalledOnce());
  const text = stage.copy.mock.lastCall?.[0] as string;
  expect(text.split("\t")).toEqual(COLUMNS.map((_, place) => `1110/${place}`));
});

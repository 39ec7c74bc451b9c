import { expect, it } from "vitest";

import { NO_PREFS } from "./grid/columns";
import { arranged, deleted, isChanged, layoutsOf, NO_LAYOUTS, saved, switched, withLayouts } from "./layouts";

const narrow = { ...NO_PREFS, hidden: ["note"] };

it("are of a source and a tab, and begin with what was remembered for all sources", () => {
  const first = layoutsOf(NO_LAYOUTS, "1", "input", narrow);
  expect(first).toEqual({ now: narrow, name: "", named: {} });
  const all = withLayouts(NO_LAYOUTS, "1", "input", arranged(first, NO_PREFS));
  expect(layoutsOf(all, "1", "input", narrow).now).toBe(NO_PREFS);
  expect(layoutsOf(all, "1", "downstream", narrow).now).toBe(narrow);
  expect(layoutsOf(all, "2", "input", narrow).now).toBe(narrow);
});

it("are saved under names, switched to, changed and deleted", () => {
  const start = layoutsOf(NO_LAYOUTS, "1", "input", NO_PREFS);
  expect(saved(start, "  ")).toBe(start);
  const wide = saved(start, " Wide ");
  expect([wide.name, isChanged(wide)]).toEqual(["Wide", false]);
  const both = saved(arranged(wide, narrow), "Narrow");
  expect(Object.keys(both.named)).toEqual(["Wide", "Narrow"]);
  const back = switched(both, "Wide");
  expect([back.now, back.name]).toEqual([NO_PREFS, "Wide"]);
  expect(isChanged(arranged(back, narrow))).toBe(true);
  expect(switched(back, "gone")).toBe(back);
  const without = deleted(back, "Wide");
  expect([without.name, without.now, Object.keys(without.named)]).toEqual(["", NO_PREFS, ["Narrow"]]);
});

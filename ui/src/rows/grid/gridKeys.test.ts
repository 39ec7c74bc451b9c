import { expect, it } from "vitest";

import { keysOf } from "../../controls/keys";
import { press as pressOf } from "../../controls/press";
import { gridKey } from "./gridKeys";
import { selectionKey } from "./selection";

it("reads the keys of the grid", () => {
  const press = (key: string, held: Partial<Record<"ctrlKey" | "shiftKey" | "altKey", boolean>> = {}) =>
    gridKey({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
  expect(press("Enter")).toBe("open");
  expect(press("c", { ctrlKey: true })).toBe("copy");
  expect(press("C", { ctrlKey: true, shiftKey: true })).toBe("copy_with_heading");
  expect(press("ArrowDown", { altKey: true })).toBe("sort_down");
  const further = { altKey: true, shiftKey: true };
  expect(press("ArrowUp", further)).toBe("then_sort_up");
  expect(press("ArrowDown", further)).toBe("then_sort_down");
  expect(press("Backspace", further)).toBe("then_sort_off");
  expect(press("ArrowLeft", { altKey: true })).toBe("narrower");
  expect(press("ArrowRight", { altKey: true, shiftKey: true })).toBe("move_right");
  expect(press("ArrowRight", { shiftKey: true })).toBeNull();
  expect(press("Enter", { ctrlKey: true })).toBeNull();
});

it.each(keysOf("rows"))("does something on %s: %s, and only one thing", (key) => {
  const taken = [gridKey(pressOf(key)), selectionKey(pressOf(key))];
  expect(taken.filter((one) => one !== null)).toHaveLength(1);
});

it("extends the selection on Shift with every key that moves", () => {
  expect(selectionKey(pressOf("Shift+ArrowUp"))).toEqual({ kind: "extend", step: "up" });
  expect(selectionKey(pressOf("Ctrl+Shift+ArrowLeft"))).toEqual({ kind: "extend", step: "row_start" });
  expect(selectionKey(pressOf("Ctrl+ArrowLeft"))).toEqual({ kind: "jump", step: "row_start" });
  expect(selectionKey(pressOf("ArrowLeft"))).toEqual({ kind: "move" });
  expect(selectionKey(pressOf("Alt+ArrowLeft"))).toBeNull();
});

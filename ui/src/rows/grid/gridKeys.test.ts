import { expect, it } from "vitest";

import { gridKey } from "./gridKeys";

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

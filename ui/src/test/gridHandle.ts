import { vi } from "vitest";

import type { GridHandle } from "../rows/grid/GridView";

/** The handle of a grid that a test does without. */
export function makeGridHandle(part: Partial<GridHandle> = {}): GridHandle {
  return {
    focus: vi.fn(),
    perform: vi.fn(),
    here: () => ({ row: 0, path: "_id" }),
    focusFilter: vi.fn(),
    goTo: vi.fn(),
    valueAt: () => "a",
    selectedCells: () => null,
    belowHeading: () => ({ x: 0, y: 0 }),
    ...part,
  };
}

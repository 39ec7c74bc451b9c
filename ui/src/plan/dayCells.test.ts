import { describe, expect, it } from "vitest";

import type { DayView } from "../backend";
import { cellKind, cellText, legend, withUnverified } from "./dayCells";

const view = (part: Partial<DayView>): DayView => ({
  day: "2025-01-31",
  state: "settled",
  action: "serve",
  why: null,
  input_rows: 5,
  downstream_rows: 15,
  fetched: "2025-02-02T09:00:00Z",
  ...part,
});

describe("a cell", () => {
  it("shows what a fetch would do before what is held", () => {
    expect(cellKind(view({}))).toBe("cached");
    expect(cellKind(view({ input_rows: 0 }))).toBe("empty");
    expect(cellKind(view({ state: "open" }))).toBe("open");
    // An open day without trades may still get some: open takes precedence over empty.
    expect(cellKind(view({ state: "open", input_rows: 0 }))).toBe("open");
    expect(cellKind(view({ state: "open", action: "refresh" }))).toBe("refresh");
    expect(cellKind(view({ state: "not_held", action: "fetch" }))).toBe("fetch");
    expect(cellKind(view({ state: "not_held", action: "adopt" }))).toBe("adopt");
    expect(cellKind(view({ state: "not_held", action: "unavailable" }))).toBe("missing");
  });

  it("says everything in one line", () => {
    expect(cellText(view({ input_rows: 1 }), () => "then")).toBe(
      "2025-01-31 Friday · cached · 1 trade · 15 messages · fetched then",
    );
  });
});

it("counts the kinds that occur", () => {
  expect(legend([view({}), view({}), view({ action: "fetch", state: "not_held" })])).toEqual([
    { kind: "cached", days: 2 },
    { kind: "fetch", days: 1 },
  ]);
});

it("marks held days that a check has not confirmed, and no others", () => {
  const plan = [
    view({ day: "2025-01-01" }),
    view({ day: "2025-01-02" }),
    view({ day: "2025-01-03", action: "fetch", state: "not_held" }),
  ];
  const marked = withUnverified(plan, ["2025-01-02", "2025-01-03"]);
  expect(marked.map(cellKind)).toEqual(["cached", "unverified", "fetch"]);
  expect(cellText(marked[1] ?? view({}), () => "then")).toContain("unverified");
});

// Text that the system sets large must neither be cut nor lie over other text.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

const sheets = readdirSync(__dirname).filter((name) => name.endsWith(".css"));
const rules = sheets.flatMap((sheet) =>
  readFileSync(join(__dirname, sheet), "utf8")
    .split("\n")
    .map((line) => ({ sheet, rule: line.trim() })),
);

/** Ornaments and bars of the window's own, which hold no text. */
const WITHOUT_TEXT = /^(?:width: 11px|height: 11px|width: 9px|height: 9px|width: 13px);$/;

it("is sized in rem alone", () => {
  const fixed = rules.filter(({ rule }) => /^(?:font|font-size):.*\d(?:px|pt)/.test(rule));
  expect(fixed).toEqual([]);
  const tokens = rules.filter(({ rule }) => /^--(?:text|small|tiny|control):/.test(rule));
  expect(tokens).toHaveLength(4);
  expect(tokens.every(({ rule }) => rule.endsWith("rem;"))).toBe(true);
});

it("stands in boxes that grow with it", () => {
  const fixed = rules.filter(
    ({ rule }) =>
      /^(?:min-height|height|line-height|width|min-width|flex-basis): (?:9|\d{2,})px;$/.test(rule) &&
      !WITHOUT_TEXT.test(rule),
  );
  expect(fixed).toEqual([]);
});

it("leaves the rows their room, to which one scrolls", () => {
  const layout = readFileSync(join(__dirname, "layout.css"), "utf8");
  const grid = readFileSync(join(__dirname, "grid.css"), "utf8");
  expect(layout).toMatch(/\.main \{[^}]*overflow-y: auto;/);
  expect(grid).toMatch(/\.results \{[^}]*min-height: min\(17rem/);
});

const read = (sheet: string) => readFileSync(join(__dirname, `${sheet}.css`), "utf8");

it("scrolls within lists and dialogs that are higher than the window", () => {
  const overlays = read("overlays");
  // The library limits the height of the popover itself: only in a column that shrinks does what it holds follow.
  expect(overlays).toMatch(/\n\.popover \{[^}]*display: flex;\s*flex-direction: column;/);
  expect(overlays).toMatch(/\.popover-body \{[^}]*min-height: 0;[^}]*overflow: auto;/);
  expect(overlays).toMatch(/\.columns-dialog \{[^}]*display: flex;\s*flex-direction: column;/);
  expect(overlays).toMatch(/\.column-list \{[^}]*overflow: auto;/);
  expect(overlays).toMatch(/\.source-dialog \{[^}]*max-height: calc\(100vh/);
  expect(overlays).toMatch(/\.source-fields \{[^}]*overflow: auto;/);
});

it("is not cut in a warning", () => {
  const cut = read("controls").match(/[^\n]*\.note-text \{[^}]*ellipsis/g);
  expect(cut).toHaveLength(1);
  expect(cut?.[0]).toMatch(/^\.note-bad/);
});

// With a large system text size, text must neither be cut nor overlap other text.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

const ROOT = join(__dirname, "..");

const sheets = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".css"),
);
const rules = sheets.flatMap((sheet) =>
  readFileSync(join(ROOT, sheet), "utf8")
    .split("\n")
    .map((line) => ({ sheet, rule: line.trim() })),
);

const read = (sheet: string) => readFileSync(join(ROOT, `${sheet}.css`), "utf8");

/** Decoration and scroll bars, which contain no text. */
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
  expect(read("app/layout")).toMatch(/\.main \{[^}]*overflow-y: auto;/);
  expect(read("rows/rows")).toMatch(/\.results \{[^}]*min-height: min\(17rem/);
});

it("scrolls within lists and dialogs that are higher than the window", () => {
  const overlays = read("controls/overlays");
  const rowSheet = read("rows/rows");
  const source = read("source/source");
  // The library limits the height of the popover itself: its content follows only in a column that can shrink.
  expect(overlays).toMatch(/\n\.popover \{[^}]*display: flex;\s*flex-direction: column;/);
  expect(overlays).toMatch(/\.popover-body \{[^}]*min-height: 0;[^}]*overflow: auto;/);
  expect(rowSheet).toMatch(/\.columns-dialog \{[^}]*display: flex;\s*flex-direction: column;/);
  expect(rowSheet).toMatch(/\.column-list \{[^}]*overflow: auto;/);
  expect(source).toMatch(/\.source-dialog \{[^}]*max-height: calc\(100vh/);
  expect(source).toMatch(/\.source-fields \{[^}]*overflow: auto;/);
});

it("is not cut in a warning", () => {
  const cut = read("controls/controls").match(/[^\n]*\.note-text \{[^}]*ellipsis/g);
  expect(cut).toHaveLength(1);
  expect(cut?.[0]).toMatch(/^\.note-bad/);
});

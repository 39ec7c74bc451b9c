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

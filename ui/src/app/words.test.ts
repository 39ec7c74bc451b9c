// The words of the window are those of a trader, with one word for one thing.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import ts from "typescript";
import { expect, it } from "vitest";

const ROOT = join(__dirname, "..");

const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter(
  (name) =>
    /\.tsx?$/.test(name) &&
    !/\.test\.|^test\/|openApp|gridStage|^backend\/types|^backend\/preview/.test(name),
);

/** Texts that a person may read: what is between tags, and every text of several words. */
function textsOf(name: string): string[] {
  const source = ts.createSourceFile(
    name,
    readFileSync(join(ROOT, name), "utf8"),
    ts.ScriptTarget.Latest,
    true,
    name.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) texts.push(node.text.trim());
    else if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    ) {
      if (/\S\s|^\s\S/.test(node.text)) texts.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts.filter((text) => text !== "");
}

const TEXTS = files.flatMap((file) => textsOf(file).map((text) => `${file}: ${text}`));

it.each([
  ["Trades and Messages, not the names of the tables", /\b(?:downstream|input rows|the input)\b/i],
  ["cached, not held", /\bheld\b/i],
  ["copied from another cached query, not adopted", /\badopt/i],
  [
    "pinned, or stays in the cache, but not kept, which passwords are",
    /\b(?:kept|keep)\b(?!.*keychain|.*Tidemark closes)/i,
  ],
  ["fetched, not pulled", /\bpull/i],
  ["oldest first and A to Z, not greatest first", /\bgreatest\b/i],
  [
    "plain words",
    /\b(?:whoever|under way|in reach|out of reach|all the same|see to|goes away|other than|the one that)\b/i,
  ],
])("are: %s", (_name, banned) => {
  expect(TEXTS.length).toBeGreaterThan(200);
  expect(TEXTS.filter((text) => banned.test(text.slice(text.indexOf(":"))))).toEqual([]);
});

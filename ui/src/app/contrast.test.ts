import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const text = readFileSync(join(__dirname, "tokens.css"), "utf8");
const [lightText = "", darkText = ""] = text.split('[data-theme="dark"]');
function colours(part: string): Record<string, string | undefined> {
  const found = [...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)];
  return Object.fromEntries(found.map((hit): [string, string] => [hit[1] ?? "", hit[2] ?? ""]));
}
const light = colours(lightText);
const themes: [string, Record<string, string | undefined>][] = [
  ["light", light],
  ["dark", { ...light, ...colours(darkText) }],
];

const moreText = readFileSync(join(__dirname, "contrast.css"), "utf8");
const [moreLightText = "", moreDarkText = ""] = moreText.split('[data-theme="dark"]');
const moreLight = { ...light, ...colours(moreLightText) };
const moreContrast: [string, Record<string, string | undefined>][] = [
  ["light", moreLight],
  ["dark", { ...moreLight, ...colours(darkText), ...colours(moreDarkText) }],
];

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, two: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const SOURCES = ["grey", "blue", "green", "amber", "red", "violet"];
/** The top bar, which has the tint of the source in use. */
const TINTS = SOURCES.map((colour) => `source-${colour}-soft`);

// Text colours, and the backgrounds they are used on.
const PAIRS: [string, string[]][] = [
  ["ink", ["ground", "surface", "sunken", "hover", "selected", "accent-soft", "day-held-2", "day-fetch-2"]],
  ["ink-2", ["ground", "surface", "sunken", "hover"]],
  ["ink-3", ["ground", "surface", "sunken", "hover"]],
  ["accent", ["surface", "sunken"]],
  ["on-accent", ["accent"]],
  ["on-day", ["day-held"]],
  ["bad", ["surface", "sunken", "bad-soft"]],
  ["warn", ["surface", "sunken", "warn-soft"]],
  ["good", ["good-soft"]],
  // The line over the rows of a partial answer.
  ...["ink", "ink-3", "accent", "bad"].map((ink): [string, string[]] => [ink, ["warn-soft"]]),
  ...["ink", "ink-2", "ink-3", "bad", "warn"].map((ink): [string, string[]] => [ink, TINTS]),
];

describe.each(themes)("the %s theme", (_name, theme) => {
  it.each(PAIRS.flatMap(([ink, grounds]) => grounds.map((ground) => [ink, ground] as const)))(
    "lets one read %s on %s",
    (ink, ground) => {
      expect(contrast(theme[ink] ?? "", theme[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(SOURCES)("lets one see the colour of a %s source", (colour) => {
    const band = theme[`source-${colour}`] ?? "";
    for (const ground of ["surface", "sunken", "hover", `source-${colour}-soft`]) {
      expect(contrast(band, theme[ground] ?? "")).toBeGreaterThanOrEqual(3);
    }
  });

  const stack = [...Array.from({ length: 8 }, (_, at) => `stack-${at + 1}`), "stack-rest"];
  it.each(stack)("lets one see the bars of %s", (token) => {
    expect(contrast(theme[token] ?? "", theme["surface"] ?? "")).toBeGreaterThanOrEqual(3);
  });
});

describe.each(moreContrast)("the %s theme with more contrast", (_name, theme) => {
  it.each(PAIRS.flatMap(([ink, grounds]) => grounds.map((ground) => [ink, ground] as const)))(
    "sets %s off from %s",
    (ink, ground) => {
      expect(contrast(theme[ink] ?? "", theme[ground] ?? "")).toBeGreaterThanOrEqual(7);
    },
  );

  it("draws lines that are seen", () => {
    for (const line of ["line", "line-soft", "focus"]) {
      expect(contrast(theme[line] ?? "", theme["surface"] ?? "")).toBeGreaterThanOrEqual(3);
    }
  });
});

it("uses the colours of more contrast only where the system asks for them", () => {
  expect(moreText).toContain("@media (prefers-contrast: more)");
  expect(readFileSync(join(__dirname, "index.css"), "utf8").trimEnd()).toMatch(/contrast\.css";$/);
});

it("does not box menu items that cannot be chosen", () => {
  const dashed = moreText.match(/[^{}]*\{[^{}]*border-style: dashed;/)?.[0] ?? "";
  expect(dashed).toContain(".button[data-disabled]");
  expect(dashed).not.toContain(".menu-item");
});

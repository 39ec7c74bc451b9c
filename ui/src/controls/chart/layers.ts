// The heights of bars. A bar is a stack of layers, the first at the bottom.

import type { Look } from "./look";

/** A part of each bar, by its number of rows. */
export interface Layer {
  look: Look;
  rows: readonly number[];
}

/** A layer as it is drawn: where its part of each bar begins and ends, as a share of the height. */
export interface Drawn {
  look: Look;
  from: number[];
  to: number[];
}

/** The least height of a bar that has rows, as a share of the height: a few rows beside thousands are still seen. */
export const LEAST = 0.08;

/** How many rows each bar has. */
export function totals(layers: readonly Layer[], count: number): number[] {
  return Array.from({ length: count }, (_, at) => layers.reduce((sum, { rows }) => sum + (rows[at] ?? 0), 0));
}

/** Puts the layers on each other. The bar with the most rows is as high as there is room. */
export function stacked(layers: readonly Layer[], count: number): Drawn[] {
  const sums = totals(layers, count);
  const most = Math.max(1, ...sums);
  const reached = new Array<number>(count).fill(0);
  return layers.map(({ look, rows }) => {
    const from = [...reached];
    for (let at = 0; at < count; at += 1) {
      const sum = sums[at] ?? 0;
      if (sum === 0) continue;
      const height = Math.max(LEAST, sum / most);
      reached[at] = (reached[at] ?? 0) + (height * (rows[at] ?? 0)) / sum;
    }
    return { look, from, to: [...reached] };
  });
}

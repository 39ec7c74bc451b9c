// The text size of rows and documents.

/** The steps, as multiples of the normal size. */
const ZOOMS = [0.85, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5];

/** The sizes that have a name; the keys have more of them. */
export const TEXT_SIZES = [
  { id: "compact", label: "Compact", zoom: 0.85 },
  { id: "normal", label: "Normal", zoom: 1 },
  { id: "large", label: "Large", zoom: 1.3 },
] as const;

export type TextSize = (typeof TEXT_SIZES)[number]["id"];

/** The name of a zoom; null if it has none. */
export function textSizeOf(zoom: number): TextSize | null {
  return TEXT_SIZES.find((size) => size.zoom === zoom)?.id ?? null;
}

export type ZoomStep = "larger" | "smaller" | "usual";

/** The next zoom; the same at either end. */
export function zoomed(zoom: number, by: ZoomStep | TextSize): number {
  if (by === "usual") return 1;
  const named = TEXT_SIZES.find(({ id }) => id === by);
  if (named !== undefined) return named.zoom;
  const larger = ZOOMS.find((step) => step > zoom + 0.001);
  const smaller = ZOOMS.filter((step) => step < zoom - 0.001).at(-1);
  return (by === "larger" ? larger : smaller) ?? zoom;
}

/** The remembered zoom, or the normal one if anything else was stored. */
export function validZoom(stored: unknown): number {
  return typeof stored === "number" && ZOOMS.includes(stored) ? stored : 1;
}

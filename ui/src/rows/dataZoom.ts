// The text size of rows and documents.

/** The steps, as multiples of the normal size. */
const ZOOMS = [0.85, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5];

export type ZoomStep = "larger" | "smaller" | "usual";

/** The next zoom; the same at either end. */
export function zoomed(zoom: number, by: ZoomStep): number {
  if (by === "usual") return 1;
  const larger = ZOOMS.find((step) => step > zoom + 0.001);
  const smaller = ZOOMS.filter((step) => step < zoom - 0.001).at(-1);
  return (by === "larger" ? larger : smaller) ?? zoom;
}

/** The remembered zoom, or the normal one if anything else was stored. */
export function validZoom(stored: unknown): number {
  return typeof stored === "number" && ZOOMS.includes(stored) ? stored : 1;
}

import { useStored } from "./useStored";

/** The size of a panel that can be resized, in pixels. */
export interface PanelSize {
  pixels: number;
  /** It was chosen; otherwise it is the usual one. */
  isSet: boolean;
  least: number;
  most: number;
  resize: (pixels: number) => void;
  reset: () => void;
}

interface Bounds {
  usual: number;
  least: number;
  most: number;
}

/** A size that is kept for the next start. */
export function usePanelSize(key: string, { usual, least, most }: Bounds): PanelSize {
  const [stored, store] = useStored<number | null>(key, null);
  const isSize = typeof stored === "number" && Number.isFinite(stored);
  const pixels = isSize ? Math.min(Math.max(stored, least), most) : usual;
  return { pixels, isSet: isSize, least, most, resize: store, reset: () => store(null) };
}

import { useEffect } from "react";

import { useStored } from "../controls/useStored";
import { type TextSize, validZoom, zoomed, type ZoomStep } from "./dataZoom";

export interface DataZoom {
  zoom: number;
  change: (by: ZoomStep | TextSize) => void;
}

/** The size of rows and documents, put on the root element and kept for the next start. */
export function useDataZoom(): DataZoom {
  const [stored, store] = useStored<number>("tidemark.dataZoom", 1);
  const zoom = validZoom(stored);
  useEffect(() => {
    document.documentElement.style.setProperty("--data-zoom", String(zoom));
  }, [zoom]);
  return { zoom, change: (by) => store(zoomed(zoom, by)) };
}

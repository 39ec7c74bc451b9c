import { useEffect } from "react";

import { useStored } from "../controls/useStored";
import { validZoom, zoomed, type ZoomStep } from "./dataZoom";

/** The size of rows and documents, put on the root element and kept for the next start. */
export function useDataZoom(): { zoom: number; change: (by: ZoomStep) => void } {
  const [stored, store] = useStored<number>("tidemark.dataZoom", 1);
  const zoom = validZoom(stored);
  useEffect(() => {
    document.documentElement.style.setProperty("--data-zoom", String(zoom));
  }, [zoom]);
  return { zoom, change: (by) => store(zoomed(zoom, by)) };
}

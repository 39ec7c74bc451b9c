import { type PanelSize, usePanelSize } from "../controls/usePanelSize";
import { useStored } from "../controls/useStored";

/** Where the document of a row is shown. */
export type DetailPlace = "aside" | "below";

export interface Detail {
  place: DetailPlace;
  setPlace: (place: DetailPlace) => void;
  size: PanelSize;
}

/** The place of the row details, and their size there; the style sheet leaves room for the rows. */
export function useDetail(): Detail {
  const [stored, setPlace] = useStored<DetailPlace>("tidemark.detail.place", "aside");
  const width = usePanelSize("tidemark.detail.width", { usual: 440, least: 240, most: 1000 });
  const height = usePanelSize("tidemark.detail.height", { usual: 220, least: 120, most: 700 });
  const place = stored === "below" ? "below" : "aside";
  return { place, setPlace, size: place === "below" ? height : width };
}

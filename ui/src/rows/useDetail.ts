import { useState } from "react";

import { type PanelSize, usePanelSize } from "../controls/usePanelSize";
import { useStored } from "../controls/useStored";

/** Where the document of a row is shown. */
export type DetailPlace = "aside" | "below";

/** What is shown of a row: its document in one of two forms, or its trade with all messages. */
export type DetailForm = "relaxed" | "canonical" | "trade";

export interface Detail {
  form: DetailForm;
  setForm: (form: DetailForm) => void;
  place: DetailPlace;
  setPlace: (place: DetailPlace) => void;
  size: PanelSize;
}

/** The place of the row details, and their size there; the style sheet leaves room for the rows. */
export function useDetail(): Detail {
  const [stored, setPlace] = useStored<DetailPlace>("tidemark.detail.place", "aside");
  const [form, setForm] = useState<DetailForm>("relaxed");
  const width = usePanelSize("tidemark.detail.width", { usual: 440, least: 240, most: 1000 });
  const height = usePanelSize("tidemark.detail.height", { usual: 220, least: 120, most: 700 });
  const place = stored === "below" ? "below" : "aside";
  return { form, setForm, place, setPlace, size: place === "below" ? height : width };
}

import type { SourceColour } from "../backend";

/** The colour of a source. Decoration: its name is said beside it. */
export function Swatch({ colour }: { colour: SourceColour }) {
  return <span className="swatch" data-colour={colour} aria-hidden="true" />;
}

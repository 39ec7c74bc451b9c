import type { SourceColour } from "../backend";

/** The colours of sources, in the order in which they are offered. */
export const COLOURS: readonly SourceColour[] = ["grey", "blue", "green", "amber", "red", "violet"];

/** What a colour is called, since nobody should have to see it to know it. */
export const COLOUR_NAMES: Record<SourceColour, string> = {
  grey: "Grey",
  blue: "Blue",
  green: "Green",
  amber: "Amber",
  red: "Red",
  violet: "Violet",
};

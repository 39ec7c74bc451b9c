// How bars look: a colour and a pattern, so that they differ without colour as well. The colours are names
// of tokens, since a canvas does not follow the theme by itself.

export interface Look {
  pattern: "solid" | "hatch" | "cross" | "lines" | "dots";
  /** The token of the colour. */
  colour: string;
  /** The token of what is behind the pattern. */
  ground?: string;
  /** The token of the outline. */
  edge?: string;
  dashed?: boolean;
}

/** How many values of a column have a colour of their own. */
export const MAX_VALUES = 8;

/** The look of a value in a stack. Neighbours differ in pattern, too. */
export function valueLook(at: number): Look {
  const colour = `stack-${(at % MAX_VALUES) + 1}`;
  return at % 2 === 0
    ? { pattern: "solid", colour }
    : { pattern: "hatch", colour, ground: "surface", edge: colour };
}

/** The look of what has no colour of its own. */
export const REST_LOOK: Look = { pattern: "solid", colour: "stack-rest" };

/** Reads a token as the theme has it now. */
export function tokenColour(token: string): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
  return value === "" ? "gray" : value;
}

/** The size of a tile of a pattern, in pixels of the page. */
const TILE = 5;

function tile(look: Look, ratio: number): HTMLCanvasElement {
  const side = Math.max(4, Math.round(TILE * ratio));
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  context.fillStyle = tokenColour(look.ground ?? "surface");
  context.fillRect(0, 0, side, side);
  const colour = tokenColour(look.colour);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  if (look.pattern === "lines") context.fillRect(0, 0, side, side / 2);
  else if (look.pattern === "dots") {
    context.beginPath();
    context.arc(side / 2, side / 2, side / 4, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.lineWidth = side / (look.pattern === "cross" ? 5 : 2.8);
    context.beginPath();
    // Over the corners, so that the lines go on in the next tile.
    for (const shift of [-side, 0, side]) {
      context.moveTo(shift - 1, side + 1);
      context.lineTo(shift + side + 1, -1);
      if (look.pattern === "cross") {
        context.moveTo(shift - 1, -1);
        context.lineTo(shift + side + 1, side + 1);
      }
    }
    context.stroke();
  }
  return canvas;
}

/** What fills a look on a canvas of so many pixels per pixel of the page. */
export function fillOf(look: Look, context: CanvasRenderingContext2D, ratio: number): string | CanvasPattern {
  if (look.pattern === "solid") return tokenColour(look.colour);
  return context.createPattern(tile(look, ratio), "repeat") ?? tokenColour(look.colour);
}

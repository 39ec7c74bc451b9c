import { memo, useLayoutEffect, useRef } from "react";
import uPlot from "uplot";

import { type Layer, stacked } from "./layers";
import { fillOf, type Look, tokenColour } from "./look";
import { useSize } from "./useSize";
import { useThemeStamp } from "./useThemeStamp";

/** The room of a bar whose number of rows is not known, over a share of the height. */
export interface Slot {
  look: Look;
  share: number;
}

interface Props {
  count: number;
  layers: readonly Layer[];
  /** What is drawn behind each bar. */
  slots?: readonly (Slot | null)[] | undefined;
  /** The foot under each bar. */
  feet?: readonly Look[] | undefined;
}

/** The part of a bar's place that it fills. */
const BAR = 0.86;

/** The height of the feet and the gap over them, in pixels. */
const FOOT = 4;
const FOOT_GAP = 1;

/** uPlot's units of what bars are drawn from. Its own names are of the types only. */
const OF_SCALE = 1;

type Facet = uPlot.Series.BarsPathBuilderFacet;

const facet = (values: number[]): Facet => ({ unit: OF_SCALE, values: () => values });

function drawBox(plot: uPlot, look: Look, x: number, y: number, width: number, height: number): void {
  const { ctx } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.fillStyle = fillOf(look, ctx, ratio);
  ctx.fillRect(x, y, width, height);
  if (look.edge !== undefined && width > 3 * ratio) {
    ctx.strokeStyle = tokenColour(look.edge);
    ctx.lineWidth = ratio;
    if (look.dashed) ctx.setLineDash([3 * ratio, 2 * ratio]);
    ctx.strokeRect(x + ratio / 2, y + ratio / 2, width - ratio, height - ratio);
  }
  ctx.restore();
}

function makePlot(host: HTMLElement, width: number, height: number, props: Props): uPlot {
  const { count, layers, slots = [], feet } = props;
  const places = Array.from({ length: count }, (_, at) => at);
  const drawn = stacked(layers, count);
  const x0 = facet(places.map((at) => at - BAR / 2));
  const size = facet(places.map(() => BAR));
  const ratio = uPlot.pxRatio;
  /** Draws something at the place of each bar, in pixels of the canvas. */
  const atEach = (plot: uPlot, draw: (at: number, x: number, width: number) => void) => {
    const place = plot.bbox.width / count;
    for (const at of places) draw(at, plot.bbox.left + (at + (1 - BAR) / 2) * place, BAR * place);
  };
  return new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      axes: [{ show: false }, { show: false }],
      padding: [0, 0, feet === undefined ? 0 : FOOT + FOOT_GAP, 0],
      scales: {
        x: { time: false, range: [-0.5, count - 0.5] },
        y: { range: [0, 1] },
      },
      series: [
        {},
        ...drawn.map(({ look, from, to }): uPlot.Series => {
          const edge = look.edge;
          return {
            fill: (plot) => fillOf(look, plot.ctx, ratio),
            width: edge === undefined ? 0 : 1,
            ...(edge === undefined ? {} : { stroke: () => tokenColour(edge) }),
            points: { show: false },
            paths: uPlot.paths.bars!({ disp: { x0, size, y0: facet(from), y1: facet(to) } }),
          };
        }),
      ],
      hooks: {
        drawClear: [
          (plot) =>
            atEach(plot, (at, x, width) => {
              const slot = slots[at];
              if (slot == null) return;
              const { top, height } = plot.bbox;
              drawBox(plot, slot.look, x, top, width, Math.max(3 * ratio, height * slot.share));
            }),
        ],
        draw: [
          (plot) =>
            atEach(plot, (at, x, width) => {
              const look = feet?.[at];
              if (look === undefined) return;
              const y = plot.bbox.top + plot.bbox.height + FOOT_GAP * ratio;
              drawBox(plot, look, x, y, width, FOOT * ratio);
            }),
        ],
      },
    },
    [places, ...drawn.map(({ to }) => to)],
    host,
  );
}

/** Bars, as uPlot draws them. They say nothing to a screen reader: that is for what lies over them. */
export const BarCanvas = memo(function BarCanvas(props: Props) {
  const { count, layers, slots, feet } = props;
  const host = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(host);
  const theme = useThemeStamp();
  useLayoutEffect(() => {
    if (host.current === null || width === 0 || height === 0 || count === 0) return;
    const plot = makePlot(host.current, width, height, { count, layers, slots, feet });
    return () => plot.destroy();
    // The colours are read when it is drawn.
  }, [width, height, count, layers, slots, feet, theme]);
  return <div ref={host} className="bar-canvas" aria-hidden="true" />;
});

import { useMemo, useState } from "react";

import { count as number, plural } from "../format";
import { BarCanvas } from "./BarCanvas";
import { Bars } from "./Bars";
import type { Look } from "./look";

export interface HistogramBar {
  /** What the bar stands for: "5 to 10", "2025-03". */
  label: string;
  /** How many rows it has. */
  rows: number;
}

interface Props {
  /** What the bars are of: "Values of price". */
  label: string;
  bars: readonly HistogramBar[];
  /** Called with the first and the last of the bars that were clicked, dragged over or reached by key. */
  onSelect?: ((first: number, last: number) => void) | undefined;
}

const LOOK: Look = { pattern: "solid", colour: "accent" };

/** How many bars the up and down keys go by. */
const LEAP = 10;

/** Bars by number of rows, from which a person chooses some, by the pointer or by keys. */
export function Histogram({ label, bars, onSelect }: Props) {
  const [selected, setSelected] = useState<readonly number[]>([]);
  const layers = useMemo(() => [{ look: LOOK, rows: bars.map(({ rows }) => rows) }], [bars]);
  const places = useMemo(
    () => bars.map((bar) => ({ text: `${bar.label}: ${plural(bar.rows, "row")}` })),
    [bars],
  );
  const all = bars.reduce((sum, { rows }) => sum + rows, 0);
  const select = (chosen: number[]) => {
    setSelected(chosen);
    const [first, last] = [chosen[0], chosen.at(-1)];
    if (first !== undefined && last !== undefined) onSelect?.(first, last);
  };
  return (
    <div className="histogram" data-testid="histogram">
      <Bars
        label={label}
        bars={places}
        selected={selected}
        select={onSelect === undefined ? null : select}
        leap={LEAP}
        tip={(at, dragged) => {
          const [first = at, last = at] = [dragged[0], dragged.at(-1)];
          const rows = bars.slice(first, last + 1).reduce((sum, bar) => sum + bar.rows, 0);
          return (
            <>
              <strong>
                {first === last ? bars[at]?.label : `${bars[first]?.label} to ${bars[last]?.label}`}
              </strong>
              <span className="num">
                {plural(rows, "row")}, {number(all === 0 ? 0 : Math.round((100 * rows) / all))} %
              </span>
            </>
          );
        }}
      >
        <BarCanvas count={bars.length} layers={layers} />
      </Bars>
    </div>
  );
}

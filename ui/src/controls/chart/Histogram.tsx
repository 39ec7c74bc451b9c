import { useMemo, useState } from "react";

import { count as number, plural } from "../format";
import { between } from "./barKeys";
import { BarCanvas } from "./BarCanvas";
import { Bars } from "./Bars";
import type { Look } from "./look";

export interface HistogramBar {
  /** What the bar stands for: "5 to 10", "2025-03". */
  label: string;
  /** How many rows it has. */
  rows: number;
}

/** The first and the last of some bars. */
export interface BarRange {
  first: number;
  last: number;
}

interface Props {
  /** What the bars are of: "Values of price". */
  label: string;
  bars: readonly HistogramBar[];
  /** Called with the bars that were clicked, dragged over or reached by key: those between two; null for none. */
  onSelect?: ((range: BarRange | null) => void) | undefined;
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
    const [first, last] = [chosen[0], chosen.at(-1)];
    const range = first === undefined || last === undefined ? null : { first, last };
    setSelected(range === null ? [] : between(range.first, range.last));
    onSelect?.(range);
  };
  return (
    <div className="histogram" data-testid="histogram">
      <div className="histogram-bars">
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
      {bars.length > 1 && (
        <div className="histogram-ends faint num" aria-hidden="true">
          <span>{bars[0]?.label}</span>
          <span>{bars.at(-1)?.label}</span>
        </div>
      )}
    </div>
  );
}

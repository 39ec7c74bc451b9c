import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";

import { count } from "../../controls/format";
import { CELL_HINTS, CELL_LABELS, legend, type StripDay } from "../../plan/dayCells";
import type { Part } from "./stack";

interface Props {
  days: readonly StripDay[];
  /** The values of the column that the bars are stacked by; none if they show states only. */
  parts: readonly Part[];
  /** What the parts are. */
  label: string;
}

/** What the bars show: the swatches on a button, which opens their names. */
export function TimeLegend({ days, parts, label }: Props) {
  const states = legend(days);
  const named = states.map(({ kind, days: number }) => `${CELL_LABELS[kind].toLowerCase()} ${number}`);
  return (
    <DialogTrigger>
      <Button
        className="button quiet small legend-button"
        aria-label={`Legend. Days by state: ${named.join(", ")}`}
        data-testid="legend-button"
      >
        {parts.length > 0
          ? parts.map((part) => <PartSwatch key={part.name} part={part} />)
          : states.map(({ kind, days: number }) => (
              <span
                key={kind}
                className="legend-state num"
                title={`${CELL_LABELS[kind]}: ${CELL_HINTS[kind]}`}
              >
                <span className="day swatch" data-kind={kind} />
                {number}
              </span>
            ))}
      </Button>
      <Popover className="popover time-legend" placement="bottom end" offset={2}>
        <Dialog aria-label="What the bars show" className="time-legend-lists">
          {parts.length > 0 && (
            <section>
              <h4 className="field-label">{label}</h4>
              <ul aria-label={label} data-testid="stack-legend">
                {parts.map((part) => (
                  <li key={part.name}>
                    <PartSwatch part={part} />
                    <span className="part-name">{part.name}</span>
                    <span className="num faint">{count(part.total)}</span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section>
            <h4 className="field-label">Days by state</h4>
            <ul aria-label="Days by state">
              {states.map(({ kind, days: number }) => (
                <li key={kind}>
                  <span className="day swatch" data-kind={kind} aria-hidden="true" />
                  <span>
                    {CELL_LABELS[kind]} <span className="faint legend-hint">{CELL_HINTS[kind]}</span>
                  </span>
                  <span className="num faint">{count(number)}</span>
                </li>
              ))}
            </ul>
          </section>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** The colour of a part of the bars. */
export function PartSwatch({ part }: { part: Part }) {
  return (
    <span
      className="stack-swatch"
      data-value={part.colour === 0 ? undefined : part.colour}
      data-pattern={part.look.pattern}
      data-left={part.look.colour === "line" || undefined}
      aria-hidden="true"
    />
  );
}

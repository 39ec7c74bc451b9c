import { count } from "../../controls/format";
import { CELL_HINTS, CELL_LABELS, legend, type StripDay } from "../../plan/dayCells";
import type { Part } from "./stack";

/** The states of the days, with how many there are of each. */
export function StateLegend({ days }: { days: readonly StripDay[] }) {
  return (
    <ul className="legend" aria-label="Days by state">
      {legend(days).map(({ kind, days: number }) => (
        <li key={kind} title={CELL_HINTS[kind]}>
          <span className="day swatch" data-kind={kind} aria-hidden="true" />
          {CELL_LABELS[kind]} <span className="num">{number}</span>
        </li>
      ))}
    </ul>
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

/** The values of the column that the bars are stacked by. */
export function PartLegend({ parts, label }: { parts: readonly Part[]; label: string }) {
  return (
    <ul className="legend parts" aria-label={label} data-testid="stack-legend">
      {parts.map((part) => (
        <li key={part.name} title={`${part.name}: ${count(part.total)}`}>
          <PartSwatch part={part} />
          <span className="part-name">{part.name}</span>
        </li>
      ))}
    </ul>
  );
}

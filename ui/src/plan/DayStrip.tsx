import { type KeyboardEvent, memo, useRef, useState } from "react";

import type { Command } from "../controls/commands";
import { moment } from "../controls/format";
import { commandOf } from "../controls/keys";
import { isWeekend } from "../backend/days";
import {
  CELL_HINTS,
  CELL_LABELS,
  cellKind,
  cellText,
  legend,
  LONG_RANGE,
  monthName,
  monthRows,
  type StripDay,
} from "./dayCells";

interface Props {
  days: readonly StripDay[];
  zone: string;
  today: string;
  stale: boolean;
}

/** Minimum width of a cell and the gap beside it, in rem: a cell has to fit its number. */
const DAY_WIDTH = 1;

/** Their maximum width. */
const WIDEST_DAY = 2.25;

/**
 * One cell per day, by state, under the names of the months; one row per month if the range is long. The arrow keys
 * move between days.
 */
export const DayStrip = memo(function DayStrip({ days, zone, today, stale }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const [home, setHome] = useState(0);
  const host = useRef<HTMLDivElement>(null);
  const long = days.length > LONG_RANGE;
  const months = monthRows(days);
  const stop = Math.min(home, days.length - 1);
  const when = (time: string) => moment(time, zone);

  const pressed = (event: KeyboardEvent) => {
    const command = commandOf("days", event);
    if (command === null) return;
    event.preventDefault();
    const steps: Record<Command<"days">, number> = {
      next_day: 1,
      previous_day: -1,
      next_week: 7,
      previous_week: -7,
      first_day: -days.length,
      last_day: days.length,
    };
    const next = Math.min(Math.max(stop + steps[command], 0), days.length - 1);
    setHome(next);
    host.current?.querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
  };
  const cell = (day: StripDay, at: number) => (
    <div
      key={day.day}
      role="img"
      className="day"
      data-at={at}
      data-kind={cellKind(day)}
      data-day={day.day}
      data-weekend={isWeekend(day.day) || undefined}
      data-first={day.day.endsWith("-01") || undefined}
      data-today={day.day === today || undefined}
      aria-label={cellText(day, when)}
      tabIndex={at === stop ? 0 : -1}
      onFocus={() => {
        setHome(at);
        setPointed(at);
      }}
      onBlur={() => setPointed(null)}
      onMouseEnter={() => setPointed(at)}
    >
      {!long && <span aria-hidden="true">{Number(day.day.slice(8))}</span>}
    </div>
  );
  const shown = pointed === null ? undefined : days[pointed];

  return (
    <div
      className="day-strip"
      data-stale={stale || undefined}
      data-testid="day-strip"
      data-days={days.length}
    >
      <div
        ref={host}
        role="group"
        aria-label="Days in the range and what is cached for each. Use the arrow keys to move between days."
        className={long ? "days-months" : "days-line"}
        onKeyDown={pressed}
        onMouseLeave={() => setPointed(null)}
      >
        {!long &&
          months.map((month) => (
            <div
              key={month.label}
              className="strip-month"
              // As wide as its days: without this, flex would give each month the same width.
              style={{
                flexGrow: month.days.length,
                flexBasis: `${month.days.length * DAY_WIDTH}rem`,
                maxWidth: `${month.days.length * WIDEST_DAY}rem`,
              }}
            >
              <span className="month-label faint" title={month.label} data-testid="strip-month">
                {monthName(month)}
              </span>
              <div className="strip-days">
                {month.days.map((day, index) => cell(day, month.first + index))}
              </div>
            </div>
          ))}
        {long &&
          months.map((month) => (
            <div className="month" key={month.label}>
              <span className="month-label faint">{month.label}</span>
              {Array.from({ length: month.start }, (_, gap) => (
                <span key={gap} className="day-gap" />
              ))}
              {month.days.map((day, index) => cell(day, month.first + index))}
            </div>
          ))}
      </div>
      <div className="strip-foot">
        {shown ? (
          <span className="strip-readout num">{cellText(shown, when)}</span>
        ) : (
          <ul className="legend" aria-label="Days by state">
            {legend(days).map(({ kind, days: number }) => (
              <li key={kind} title={CELL_HINTS[kind]}>
                <span className="day swatch" data-kind={kind} aria-hidden="true" />
                {CELL_LABELS[kind]} <span className="num">{number}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
});

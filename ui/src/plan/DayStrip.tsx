import { type KeyboardEvent, memo, useRef, useState } from "react";

import { useCommandMenu } from "../controls/CommandMenu";
import { moment } from "../controls/format";
import { moved, moveOf } from "../controls/chart/barKeys";
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
  /** Makes these days the range of the form. */
  setRange: (from: string, to: string) => void;
  copy: (text: string) => void;
}

const DAY_COMMANDS = { only_day: true, from_day: true, to_day: true, copy_day: true } as const;

/** The maximum width of a cell and the gap beside it, in rem. */
const WIDEST_DAY = 2.25;

/** The same of the name of a month beside its days. */
const labelWidth = (name: string) => (name.length > 3 ? 3.5 : 2);

/**
 * One cell per day, by state, on one line: after the names of the months or, if the range is long, without numbers
 * and under those names. The arrow keys move between days.
 */
export const DayStrip = memo(function DayStrip({ days, zone, today, stale, setRange, copy }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const [home, setHome] = useState(0);
  const host = useRef<HTMLDivElement>(null);
  const long = days.length > LONG_RANGE;
  const months = monthRows(days);
  const stop = Math.min(home, days.length - 1);
  const when = (time: string) => moment(time, zone);

  const pressed = (event: KeyboardEvent) => {
    const command = commandOf("days", event);
    if (command === null || command in DAY_COMMANDS) return;
    event.preventDefault();
    const move = moveOf(command, 7, days.length);
    if (move === null) return;
    const next = moved(stop, move.by, days.length);
    setHome(next);
    host.current?.querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
  };
  // The menu is about the day that was pointed at when it was opened.
  const [chosen, setChosen] = useState(0);
  const about = days[Math.min(chosen, days.length - 1)];
  const menu = useCommandMenu({
    place: "days",
    label: about === undefined ? "Day" : about.day,
    testId: "day-menu",
    commands: ["only_day", "from_day", "to_day", "copy_day"],
    perform: (command) => {
      // A key is about the day that has the focus.
      const focused = document.activeElement?.getAttribute("data-day");
      const day = menu.menu === null && focused ? days.find((one) => one.day === focused) : about;
      const [first, last] = [days[0], days.at(-1)];
      if (day === undefined || first === undefined || last === undefined) return;
      if (command === "only_day") setRange(day.day, day.day);
      else if (command === "from_day") setRange(day.day, last.day);
      else if (command === "to_day") setRange(first.day, day.day);
      else copy(cellText(day, when));
    },
  });
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
      <div className="strip-head">
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
      <div
        ref={host}
        role="group"
        aria-label="Days in the range and what is cached for each. Use the arrow keys to move between days."
        className="days-line"
        data-long={long || undefined}
        onKeyDown={(event) => {
          setChosen(stop);
          menu.onKeyDown(event);
          if (!event.defaultPrevented) pressed(event);
        }}
        onContextMenu={(event) => {
          const at = event.target instanceof Element ? event.target.closest("[data-at]") : null;
          if (at === null) return;
          setChosen(Number(at.getAttribute("data-at")));
          menu.onContextMenu(event);
        }}
        onMouseLeave={() => setPointed(null)}
      >
        {months.map((month) => {
          const label = long ? 0 : labelWidth(monthName(month));
          return (
            <div
              key={month.label}
              className="strip-month"
              // As wide as its days: without this, flex would give each month the same width.
              style={{
                flexGrow: month.days.length,
                flexBasis: `${label}rem`,
                maxWidth: `${month.days.length * WIDEST_DAY + label}rem`,
              }}
            >
              <span className="month-label faint" title={month.label} data-testid="strip-month">
                {monthName(month)}
              </span>
              <div className="strip-days">
                {month.days.map((day, index) => cell(day, month.first + index))}
              </div>
            </div>
          );
        })}
      </div>
      {menu.menu}
    </div>
  );
});

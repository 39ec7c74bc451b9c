import { memo, useMemo, useRef, useState } from "react";

import { BarCanvas } from "../../controls/chart/BarCanvas";
import { Bars } from "../../controls/chart/Bars";
import { toggled } from "../../controls/chart/barKeys";
import { useSize } from "../../controls/chart/useSize";
import { useCommandMenu } from "../../controls/CommandMenu";
import { moment } from "../../controls/format";
import { useStored } from "../../controls/useStored";
import type { StripDay } from "../../plan/dayCells";
import { type DaysNarrowing, joined } from "../days";
import { nameIn } from "../grid/columns";
import type { Trades } from "../Results";
import { BarsTable } from "./BarsTable";
import { BarTip } from "./BarTip";
import {
  axisLabels,
  bucketKind,
  bucketsOf,
  bucketText,
  chosenBars,
  isWeekendBar,
  LEAPS,
  unitFor,
} from "./buckets";
import { StackMenu } from "./StackMenu";
import { feetOf, slotsOf, stackColumns, stateLayers, valueParts } from "./stack";
import { TimeLegend } from "./TimeLegend";
import { hasDates, useDayCounts } from "./useDayCounts";

interface Props {
  days: readonly StripDay[];
  /** The zone in which times are shown. */
  zone: string;
  /** The zone of the days. */
  dayZone: string;
  today: string;
  stale: boolean;
  /** The trades that are shown, if they are of the query that the days are planned for. */
  trades: Trades | null;
  narrowing: DaysNarrowing;
  /** Makes these days the range of the form. */
  setRange: (from: string, to: string) => void;
  copy: (text: string) => void;
}

/**
 * One bar per day, week or month, as high as its trades are known, in the look of its state. Clicks, drags and keys
 * narrow the rows to days; a double click makes them the range of the query.
 */
export const TimeLine = memo(function TimeLine(props: Props) {
  const { days, zone, dayZone, today, stale, trades, narrowing, setRange, copy } = props;
  const host = useRef<HTMLDivElement>(null);
  const { width } = useSize(host);
  const unit = useMemo(() => unitFor(days, width), [days, width]);
  const buckets = useMemo(() => bucketsOf(days, unit), [days, unit]);
  const when = useMemo(() => (time: string) => moment(time, zone), [zone]);

  const [stored, store] = useStored<string | null>("tidemark.stack", null);
  const columns = useMemo(() => {
    if (trades === null) return [];
    const { columns, reading_order, time_column } = trades.shape;
    return stackColumns(columns, reading_order, time_column);
  }, [trades]);
  const path = columns.some((column) => column.path === stored) ? stored : null;
  const name = path === null ? "" : nameIn(columns, path);
  const range = { from: days[0]?.day ?? today, to: days.at(-1)?.day ?? today };
  const { groups, problem, pending } = useDayCounts({ trades, range, unit, zone: dayZone, path, name });
  const isFiltered = (trades?.filters.length ?? 0) > 0;
  const parts = useMemo(() => {
    const rest = isFiltered ? "Left out by filters" : "Not in these rows";
    return groups === null ? [] : valueParts(buckets, unit, groups, path !== null, rest);
  }, [buckets, unit, groups, path, isFiltered]);
  const layers = useMemo(() => (parts.length > 0 ? parts : stateLayers(buckets)), [parts, buckets]);
  const slots = useMemo(() => slotsOf(buckets), [buckets]);
  const feet = useMemo(() => feetOf(buckets), [buckets]);
  const labels = useMemo(() => axisLabels(buckets, unit, width), [buckets, unit, width]);
  const places = useMemo(
    () =>
      buckets.map((bucket) => ({
        text: bucketText(bucket, unit, when),
        data: {
          "data-day": bucket.from,
          "data-kind": bucketKind(bucket),
          "data-weekend": (unit === "day" && isWeekendBar(bucket)) || undefined ? "true" : undefined,
          "data-today": bucket.from <= today && today <= bucket.to ? "true" : undefined,
        },
      })),
    [buckets, unit, when, today],
  );

  const { held, set } = narrowing;
  const active = held === null || held.off === true ? null : held.spans;
  const chosen = useMemo(() => (active === null ? [] : chosenBars(buckets, active)), [active, buckets]);
  const select = (bars: readonly number[]) => {
    const spans = joined(bars.flatMap((at) => buckets[at] ?? []).map(({ from, to }) => ({ from, to })));
    set(spans.length === 0 ? null : { spans });
  };
  /** The days that a command at a bar is about: all chosen ones, if it is one of them. */
  const spanAt = (at: number) => {
    const bars = chosen.includes(at) ? chosen : [at];
    const [first, last] = [buckets[bars[0] ?? at], buckets[bars.at(-1) ?? at]];
    return first === undefined || last === undefined ? null : { from: first.from, to: last.to };
  };
  const [about, setAbout] = useState(0);
  const atKey = useRef<number | null>(null);
  const menu = useCommandMenu({
    place: "days",
    label: about < buckets.length ? (places[about]?.text ?? "") : "Days",
    testId: "day-menu",
    commands: ["only_day", "from_day", "to_day", "toggle_day", "all_days", "copy_day"],
    disabled: [
      ...(trades === null ? (["toggle_day"] as const) : []),
      ...(active === null ? (["all_days"] as const) : []),
    ],
    perform: (command) => {
      const at = atKey.current ?? about;
      const span = spanAt(at);
      if (span === null) return;
      if (command === "only_day") setRange(span.from, span.to);
      else if (command === "from_day") setRange(span.from, range.to);
      else if (command === "to_day") setRange(range.from, span.to);
      else if (command === "toggle_day") select(toggled(chosen, at));
      else if (command === "all_days") set(null);
      else copy(places[at]?.text ?? "");
    },
  });
  const noDates =
    trades !== null && !hasDates(trades) ? "These trades have no dates to count them by." : null;
  const blocked = trades === null ? "There are no rows to count." : noDates;
  return (
    <div
      className="time-line"
      data-stale={stale || undefined}
      data-unit={unit}
      data-days={days.length}
      data-testid="day-strip"
    >
      <div className="time-plot">
        <div className="time-axis" aria-hidden="true">
          {labels.map(({ at, text, isMain }) => (
            <span
              key={at}
              data-main={isMain || undefined}
              style={{ left: `${(100 * at) / buckets.length}%` }}
            >
              {text}
            </span>
          ))}
        </div>
        <div ref={host} className="time-bars">
          <Bars
            label={`Trades per ${unit}, and what is cached. The arrow keys narrow the rows to a ${unit}.`}
            bars={places}
            selected={chosen}
            select={trades === null ? null : select}
            leap={LEAPS[unit]}
            tip={(at, dragged) => (
              <BarTip
                buckets={buckets}
                unit={unit}
                parts={parts}
                first={dragged[0] ?? at}
                last={dragged.at(-1) ?? at}
                when={when}
              />
            )}
            onKeyDown={(event, at) => {
              setAbout(at);
              atKey.current = at;
              menu.onKeyDown(event);
              atKey.current = null;
            }}
            onContextMenu={(event, at) => {
              setAbout(at);
              menu.onContextMenu(event);
            }}
            onDoubleClick={(at) => {
              const bucket = buckets[at];
              if (bucket !== undefined) setRange(bucket.from, bucket.to);
            }}
          >
            <BarCanvas count={buckets.length} layers={layers} slots={slots} feet={feet} />
          </Bars>
        </div>
      </div>
      <div className="time-side">
        <StackMenu columns={columns} path={path} choose={store} blocked={blocked} pending={pending} />
        {problem === null ? (
          <TimeLegend
            days={days}
            parts={parts}
            label={path === null ? "Trades by the filters" : `Trades by ${name}`}
          />
        ) : (
          <span className="time-problem" role="status" title={problem} data-testid="stack-problem">
            {problem}
          </span>
        )}
      </div>
      <BarsTable buckets={buckets} unit={unit} parts={parts} when={when} />
      {menu.menu}
    </div>
  );
});

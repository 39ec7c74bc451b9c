import type { DateUnit } from "../../backend";
import { count, plural } from "../../controls/format";
import { weekday } from "../../query/days";
import { type Bucket, bucketName, oldestFetch, stateText, sumOf } from "./buckets";
import type { Part } from "./stack";
import { PartSwatch } from "./TimeLegend";

interface Props {
  buckets: readonly Bucket[];
  unit: DateUnit;
  parts: readonly Part[];
  /** The first and the last bar that it is about. */
  first: number;
  last: number;
  when: (time: string) => string;
}

/** What is known of the bar that is pointed at, or of those that are dragged over. */
export function BarTip({ buckets, unit, parts, first, last, when }: Props) {
  const bars = buckets.slice(first, last + 1);
  const days = bars.flatMap((bucket) => bucket.days);
  const [one] = bars;
  if (one === undefined) return null;
  const all: Bucket = { from: one.from, to: bars.at(-1)?.to ?? one.to, days };
  const isDay = all.from === all.to;
  const [trades, messages] = [sumOf(all, "input_rows"), sumOf(all, "downstream_rows")];
  const fetched = oldestFetch(all);
  const known = [
    ...(trades === null ? [] : [plural(trades, "trade")]),
    ...(messages === null ? [] : [plural(messages, "message")]),
  ];
  const why = isDay ? (days[0]?.why ?? null) : null;
  return (
    <>
      <strong>
        {bars.length === 1 ? bucketName(all, unit) : `${all.from} to ${all.to}`}
        {isDay && ` ${weekday(all.from)}`}
      </strong>
      <span>
        {stateText(all)}
        {why !== null && `: ${why}`}
      </span>
      {known.length > 0 && <span className="num">{known.join(" · ")}</span>}
      {fetched !== null && (
        <span>
          {isDay ? "fetched" : "oldest fetch"} {when(fetched)}
        </span>
      )}
      {parts.map((part) => {
        const rows = part.rows.slice(first, last + 1).reduce((sum, one) => sum + one, 0);
        return rows === 0 ? null : (
          <span key={part.name} className="tip-part">
            <PartSwatch part={part} />
            <span className="part-name">{part.name}</span>
            <span className="num">{count(rows)}</span>
          </span>
        );
      })}
    </>
  );
}

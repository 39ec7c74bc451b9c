import { memo } from "react";

import type { DateUnit } from "../../backend";
import { count } from "../../controls/format";
import { weekday } from "../../query/days";
import { type Bucket, bucketName, oldestFetch, stateText, sumOf } from "./buckets";
import type { Part } from "./stack";

interface Props {
  buckets: readonly Bucket[];
  unit: DateUnit;
  parts: readonly Part[];
  when: (time: string) => string;
}

const number = (value: number | null) => (value === null ? "not known" : count(value));

/** The time line as a table, for screen readers: it is not seen. */
export const BarsTable = memo(function BarsTable({ buckets, unit, parts, when }: Props) {
  return (
    <div className="visually-hidden">
      <table data-testid="days-table">
        <caption>{unit === "day" ? "Days" : "Time"} of the range and what is cached</caption>
        <thead>
          <tr>
            <th scope="col">{{ day: "Day", week: "Week", month: "Month", year: "Year" }[unit]}</th>
            <th scope="col">State</th>
            <th scope="col">Trades</th>
            <th scope="col">Messages</th>
            <th scope="col">Fetched</th>
            {parts.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.map((bucket, at) => {
            const fetched = oldestFetch(bucket);
            return (
              <tr key={bucket.from}>
                <th scope="row">
                  {bucketName(bucket, unit)}
                  {unit === "day" && ` ${weekday(bucket.from)}`}
                </th>
                <td>{stateText(bucket)}</td>
                <td>{number(sumOf(bucket, "input_rows"))}</td>
                <td>{number(sumOf(bucket, "downstream_rows"))}</td>
                <td>{fetched === null ? "no" : when(fetched)}</td>
                {parts.map(({ name, rows }) => (
                  <td key={name}>{count(rows[at] ?? 0)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
});

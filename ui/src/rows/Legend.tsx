import { useQuery } from "@tanstack/react-query";
import { Button } from "react-aria-components";

import type { RowQuery, ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { count, plural } from "../controls/format";
import { asked } from "./asked";
import { colourOf } from "./grid/rowColours";

/** More values than this are only counted. */
const LISTED = 8;

interface Props {
  viewKey: ViewKey;
  rows: RowQuery;
  stamp: string;
  path: string;
  /** What the column is called. */
  name: string;
  /** Colours no rows any more. */
  remove: () => void;
}

/** What the colours of the rows mean. */
export function Legend({ viewKey, rows, stamp, path, name, remove }: Props) {
  const backend = useBackend();
  const { data } = useQuery({
    queryKey: ["legend", viewKey, rows, stamp, path],
    queryFn: ({ signal }) =>
      asked(backend, signal, (id) => backend.columnValues(viewKey, rows, path, "", LISTED, id)),
    // The stamp says when to read again.
    staleTime: Infinity,
    gcTime: 60_000,
  });
  return (
    <div className="legend" role="group" aria-label={`Colours by ${name}`} data-testid="legend">
      <strong>{name}</strong>
      <ul className="legend-list">
        {(data?.values ?? []).map(({ value, rows }) => {
          const colour = colourOf(value);
          return (
            <li key={value} className={`legend-value ${colour?.tone ?? ""}`}>
              <span className="cell-mark" aria-hidden="true">
                {colour?.mark}
              </span>{" "}
              <span className="legend-word">{value === "" ? '""' : value}</span>{" "}
              <span className="num faint">{count(rows)}</span>
            </li>
          );
        })}
      </ul>
      {data !== undefined && data.further > 0 && (
        <span className="faint">and {plural(data.further, "further value")}</span>
      )}
      <Button className="link" onPress={remove} data-testid="legend-remove">
        No colours
      </Button>
    </div>
  );
}

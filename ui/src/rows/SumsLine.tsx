import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { type ColumnSums, type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { count, plural } from "../controls/format";
import { pause } from "../controls/pause";
import { asked } from "./asked";

/** Moving through columns adds up only where it ends. */
const PAUSE_MS = 200;

interface Props {
  viewKey: ViewKey;
  /** The rows, in whatever order. */
  rows: RowQuery;
  stamp: string;
  /** The state of the file that the rows were read from. */
  generation: number;
  path: string;
  /** What the column is called. */
  name: string;
  /** The rows have changed since: they have to be read again. */
  outdated: () => void;
}

/** What a column adds up to: numbers of rows as they are read, figures as the engine has worked them out. */
function parts(sums: ColumnSums): [what: string, figure: string][] {
  const { sum, average, min, max } = sums;
  const known: [string, string | null][] = [
    ["sum", sum],
    ["average", average],
    ["minimum", min],
    ["maximum", max],
  ];
  return known.flatMap(([what, figure]) => (figure === null ? [] : [[what, figure]]));
}

function countText({ rows, filled, distinct, numbers }: ColumnSums): string {
  const mixed = numbers > 0 && numbers < filled ? `, ${count(numbers)} of them numbers` : "";
  return `${count(filled)} of ${plural(rows, "row")} filled${mixed}, ${count(distinct)} different`;
}

/** What the active column adds up to under the filters, figures digit for digit. */
export function SumsLine({ viewKey, rows, stamp, generation, path, name, outdated }: Props) {
  const backend = useBackend();
  const { data, error } = useQuery({
    queryKey: ["column_sums", viewKey, rows, stamp, path],
    queryFn: async ({ signal }) => {
      await pause(PAUSE_MS, signal);
      return asked(backend, signal, (id) => backend.columnSums(viewKey, rows, path, id));
    },
    // The stamp says when to read again.
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const isOther = data !== undefined && data.generation !== generation;
  useEffect(() => {
    if (isOther) outdated();
  }, [isOther, outdated]);
  const sums = isOther ? undefined : data;
  return (
    <p className="sums" role="status" data-testid="sums">
      <strong>{name}</strong>
      {error !== null && <span>{toFailure(error).message}</span>}
      {sums === undefined && error === null && <span className="faint">Adding up…</span>}
      {sums !== undefined && <span className="num">{countText(sums)}</span>}
      {sums !== undefined &&
        parts(sums).map(([what, figure]) => (
          <span key={what}>
            <span className="faint">{what}</span> <span className="num sum-figure">{figure}</span>
          </span>
        ))}
    </p>
  );
}

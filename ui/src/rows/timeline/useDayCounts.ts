import { useQuery } from "@tanstack/react-query";

import { type DateUnit, type DaySpan, type Groups, type RowQuery, toFailure } from "../../backend";
import { useBackend } from "../../backend/context";
import { plural } from "../../controls/format";
import { asked } from "../asked";
import { rowQuery } from "../filters";
import type { Trades } from "../Results";
import { MOST_VALUES } from "./stack";

/** More groups than this are not counted: as many bars as fit, with as many values as a column may have. */
const MOST_GROUPS = 40_000;

interface Props {
  /** The trades that are shown, of the query that the time line is about; null if there are none. */
  trades: Trades | null;
  range: DaySpan;
  unit: DateUnit;
  /** The zone of the days. */
  zone: string;
  /** The column that stacks the bars by its values; null if only the filters of the rows are of interest. */
  path: string | null;
  name: string;
}

export interface DayCounts {
  /** Null if nothing has to be counted, or has been yet. */
  groups: Groups | null;
  /** Why the trades cannot be counted, in a sentence. */
  problem: string | null;
  pending: boolean;
}

type Counted = { groups: Groups; problem: null } | { groups: null; problem: string };

/** Whether the trades have dates, by which they can be counted. */
export function hasDates({ shape }: Trades): boolean {
  const time = shape.columns.find(({ path }) => path === shape.time_column);
  return time !== undefined && time.types.includes("date");
}

/**
 * The trades of each bar under the filters of the rows and by the values of a column. Without either, the time line
 * shows what is cached of each day, and nothing is asked.
 */
export function useDayCounts({ trades, range, unit, zone, path, name }: Props): DayCounts {
  const backend = useBackend();
  const time = trades !== null && hasDates(trades) ? trades.shape.time_column : null;
  const isAsked = trades !== null && time !== null && (path !== null || trades.filters.length > 0);
  const rows: RowQuery = rowQuery("input", [], trades?.filters ?? [], [{ from: range.from, to: range.to }]);
  const { data, error, isFetching } = useQuery({
    queryKey: ["day_counts", trades?.key, trades?.stamp, rows, unit, zone, path],
    queryFn: async ({ signal }): Promise<Counted> => {
      const { key } = trades!;
      if (path !== null) {
        const few = await asked(backend, signal, (id) => backend.columnValues(key, rows, path, "", 1, id));
        const number = few.values.length + few.further;
        if (number > MOST_VALUES) {
          return { groups: null, problem: `${name} has ${plural(number, "value")}, too many for bars.` };
        }
      }
      const by = [{ path: time!, unit }, ...(path === null ? [] : [{ path }])];
      const request = { by, zone, figures: [], limit: MOST_GROUPS };
      const groups = await asked(backend, signal, (id) => backend.groupRows(key, rows, request, id));
      return { groups, problem: null };
    },
    enabled: isAsked,
    // The stamp says when to count again.
    staleTime: Infinity,
    gcTime: 60_000,
    // The bars keep their parts while they are counted again.
    placeholderData: (previous, of) => {
      const isSame = of?.queryKey[6] === path && of.queryKey[4] === unit;
      return isSame && JSON.stringify(of.queryKey[1]) === JSON.stringify(trades?.key) ? previous : undefined;
    },
  });
  if (!isAsked) return { groups: null, problem: null, pending: false };
  const problem = error === null ? (data?.problem ?? null) : toFailure(error).message;
  return { groups: data?.groups ?? null, problem, pending: isFetching };
}

import { useQuery } from "@tanstack/react-query";
import { Button } from "react-aria-components";

import {
  type Backend,
  type ColumnCondition,
  type ColumnSums,
  type ColumnView,
  type RowQuery,
  toFailure,
  type ViewKey,
} from "../../backend";
import { useBackend } from "../../backend/context";
import { FailureNote } from "../../controls/FailureNote";
import { count, plural } from "../../controls/format";
import { asked } from "../asked";
import { ColumnPopover } from "../ColumnPopover";
import { columnName } from "../grid/columns";
import { binsOf, edgesBetween, unitBetween } from "./bins";
import { isDated } from "./grouping";

/** How many of the most frequent values are listed. */
const TOP = 10;

/** More bars of times than this are not drawn. */
const MAX_TIMES = 60;

interface Props {
  /** Where it opens, in the window. */
  at: { x: number; y: number };
  column: ColumnView;
  viewKey: ViewKey;
  rows: RowQuery;
  stamp: string;
  zone: string;
  /** Narrows the rows by a value. */
  apply: (condition: ColumnCondition) => void;
  close: () => void;
}

/** A bar, and what narrows the rows to it. */
interface Bar {
  name: string;
  rows: number;
  condition?: ColumnCondition;
}

interface Asked {
  backend: Backend;
  viewKey: ViewKey;
  rows: RowQuery;
  column: ColumnView;
  zone: string;
  signal: AbortSignal;
}

/** The histogram of a column whose figures are known; none if it has neither numbers nor times. */
async function histogram(of: Asked, { min, max, numbers }: ColumnSums): Promise<Bar[]> {
  const { backend, viewKey, rows, column, zone, signal } = of;
  const { path } = column;
  if (numbers > 0) {
    const edges = edgesBetween(min, max);
    if (edges.length === 0) return [];
    const counted: number[] = [];
    for (const test of [...edges.map((edge) => `<${edge}`), `<=${max}`]) {
      const filters = [...(rows.filters ?? []), { path, condition: { kind: "text" as const, text: test } }];
      const { rows: found } = await asked(backend, signal, (id) =>
        backend.rowCount(viewKey, { ...rows, filters }, id),
      );
      signal.throwIfAborted();
      counted.push(found);
    }
    return binsOf(edges, counted.slice(0, -1), counted.at(-1) ?? 0);
  }
  if (!isDated(column) || min === null || max === null) return [];
  const request = { by: [{ path, unit: unitBetween(min, max) }], zone, figures: [], limit: MAX_TIMES };
  const { groups } = await asked(backend, signal, (id) => backend.groupRows(viewKey, rows, request, id));
  return groups.flatMap(({ keys: [key], rows }) =>
    key === undefined || key.text === null ? [] : [{ name: key.text, rows, condition: key.condition }],
  );
}

/** What a column contains, under the filters: how many values, the most frequent, the ends, and how they lie. */
export function ColumnSummary({ at, column, viewKey, rows, stamp, zone, apply, close }: Props) {
  const backend = useBackend();
  const { path } = column;
  const key = [viewKey, rows, stamp, path];
  const once = { staleTime: Infinity, gcTime: 60_000 };
  const sums = useQuery({
    queryKey: ["column_sums", ...key],
    queryFn: ({ signal }) => asked(backend, signal, (id) => backend.columnSums(viewKey, rows, path, id)),
    ...once,
  });
  const top = useQuery({
    queryKey: ["column_top", ...key],
    queryFn: ({ signal }) =>
      asked(backend, signal, (id) => backend.columnValues(viewKey, rows, path, "", TOP, id)),
    ...once,
  });
  const figures = sums.data;
  const bars = useQuery({
    queryKey: ["column_bars", ...key, zone],
    queryFn: ({ signal }) =>
      figures === undefined ? [] : histogram({ backend, viewKey, rows, column, zone, signal }, figures),
    enabled: figures !== undefined,
    ...once,
  });
  const narrow = (condition: ColumnCondition) => {
    close();
    apply(condition);
  };
  const error = sums.error ?? top.error ?? bars.error;
  const values: Bar[] = (top.data?.values ?? []).map(({ value, rows }) => ({
    name: value === "" ? '""' : value,
    rows,
    condition: { kind: "values", values: [value], empty: false },
  }));
  return (
    <ColumnPopover
      at={at}
      className="column-summary"
      label={`Summary of ${columnName(column)}`}
      testId="column-summary"
      close={close}
    >
      <div className="field-head">
        <strong>{columnName(column)}</strong>
        <Button className="link" onPress={close} autoFocus>
          Close
        </Button>
      </div>
      {error !== null && <FailureNote failure={toFailure(error)} testId="column-summary-failure" />}
      {figures === undefined && error === null && <p className="faint">Counting…</p>}
      {figures !== undefined && <Figures sums={figures} empty={figures.rows - figures.filled} />}
      {bars.data !== undefined && bars.data.length > 0 && (
        <BarList
          label={isDated(column) ? `By time, in ${zone}` : "By size"}
          bars={bars.data}
          narrow={narrow}
        />
      )}
      {values.length > 0 && <BarList label="Most frequent values" bars={values} narrow={narrow} />}
      {top.data !== undefined && top.data.further > 0 && (
        <p className="faint">And {plural(top.data.further, "further value")}.</p>
      )}
    </ColumnPopover>
  );
}

function Figures({ sums, empty }: { sums: ColumnSums; empty: number }) {
  const known: [string, string | null][] = [
    ["filled", count(sums.filled)],
    ["empty", count(empty)],
    ["different", count(sums.distinct)],
    ["sum", sums.sum],
    ["average", sums.average],
    ["smallest", sums.min],
    ["largest", sums.max],
  ];
  return (
    <dl className="column-figures">
      {known.map(
        ([what, figure]) =>
          figure !== null && (
            <div key={what}>
              <dt className="faint">{what}</dt>
              <dd className="num sum-figure">{figure}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

interface BarListProps {
  label: string;
  bars: readonly Bar[];
  narrow: (condition: ColumnCondition) => void;
}

/** Bars with their numbers beside them. One with a condition narrows the rows. */
function BarList({ label, bars, narrow }: BarListProps) {
  const most = Math.max(1, ...bars.map(({ rows }) => rows));
  return (
    <section aria-label={label}>
      <h4 className="field-label">{label}</h4>
      <ul className="bar-list">
        {bars.map(({ name, rows, condition }) => (
          <li key={name}>
            {condition === undefined ? (
              <span className="bar-name" title={name}>
                {name}
              </span>
            ) : (
              <Button
                className="link bar-name"
                aria-label={`Filter: ${name}, ${plural(rows, "row")}`}
                onPress={() => narrow(condition)}
              >
                {name}
              </Button>
            )}
            <span className="bar-place" aria-hidden="true">
              <span className="bar" style={{ width: `${(100 * rows) / most}%` }} />
            </span>
            <span className="num faint">{count(rows)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
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
import { type BarRange, Histogram } from "../../controls/chart/Histogram";
import { FailureNote } from "../../controls/FailureNote";
import { count, plural } from "../../controls/format";
import { asked } from "../asked";
import { ColumnPopover } from "../ColumnPopover";
import { columnName } from "../grid/columns";
import { type Bin, binsOf, edgesBetween, numbersIn, timeBins, timesIn, unitBetween } from "./bins";
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

/** A frequent value, and what narrows the rows to it. */
interface Value {
  name: string;
  rows: number;
  condition: ColumnCondition;
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
async function histogram(of: Asked, { min, max, numbers }: ColumnSums): Promise<Bin[]> {
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
  const unit = unitBetween(min, max);
  const request = { by: [{ path, unit }], zone, figures: [], limit: MAX_TIMES };
  const { groups } = await asked(backend, signal, (id) => backend.groupRows(viewKey, rows, request, id));
  return timeBins(groups, unit, MAX_TIMES);
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
  const values: Value[] = (top.data?.values ?? []).map(({ value, rows }) => ({
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
        <Distribution
          label={figures !== undefined && figures.numbers > 0 ? "By size" : `By time, in ${zone}`}
          bins={bars.data}
          conditionOf={figures !== undefined && figures.numbers > 0 ? numbersIn : timesIn}
          narrow={narrow}
        />
      )}
      {values.length > 0 && <Frequent values={values} narrow={narrow} />}
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

interface DistributionProps {
  label: string;
  bins: readonly Bin[];
  conditionOf: (bins: readonly Bin[]) => ColumnCondition | null;
  narrow: (condition: ColumnCondition) => void;
}

/** The histogram. Bars are chosen first: a key that moves between them must not close the summary. */
function Distribution({ label, bins, conditionOf, narrow }: DistributionProps) {
  const [range, setRange] = useState<BarRange | null>(null);
  const bars = useMemo(() => bins.map(({ name, rows }) => ({ label: name, rows })), [bins]);
  const chosen = range === null ? [] : bins.slice(range.first, range.last + 1);
  const condition = conditionOf(chosen);
  const [first, last] = [chosen[0]?.name, chosen.at(-1)?.name];
  const named = first === last ? first : `${first} … ${last}`;
  const rows = chosen.reduce((sum, bin) => sum + bin.rows, 0);
  return (
    <section aria-label={label}>
      <div className="field-head">
        <h4 className="field-label">{label}</h4>
        {condition === null ? (
          <span className="faint">Click or drag over bars to filter by them</span>
        ) : (
          <Button className="link" onPress={() => narrow(condition)} data-testid="histogram-filter">
            Filter: {named}, {plural(rows, "row")}
          </Button>
        )}
      </div>
      <Histogram label={label} bars={bars} onSelect={setRange} />
    </section>
  );
}

interface FrequentProps {
  values: readonly Value[];
  narrow: (condition: ColumnCondition) => void;
}

/** The most frequent values with their numbers of rows. Each narrows the rows to it. */
function Frequent({ values, narrow }: FrequentProps) {
  const most = Math.max(1, ...values.map(({ rows }) => rows));
  return (
    <section aria-label="Most frequent values">
      <h4 className="field-label">Most frequent values</h4>
      <ul className="value-list">
        {values.map(({ name, rows, condition }) => (
          <li key={name}>
            <Button
              className="link value-name"
              aria-label={`Filter: ${name}, ${plural(rows, "row")}`}
              onPress={() => narrow(condition)}
            >
              {name}
            </Button>
            <span className="value-place" aria-hidden="true">
              <span className="value-bar" style={{ width: `${(100 * rows) / most}%` }} />
            </span>
            <span className="num faint">{count(rows)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

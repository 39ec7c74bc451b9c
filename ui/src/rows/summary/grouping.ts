// How the rows of a tab are grouped: what is remembered of it, and what the engine is asked for.

import type {
  ColumnView,
  DateUnit,
  Figure,
  FigureKind,
  Group,
  GroupColumn,
  GroupRequest,
  GroupSort,
  Role,
  ViewShape,
} from "../../backend";
import { type HeldFilter, withCondition } from "../filters";
import { nameIn } from "../grid/columns";
import { type Cell, toTsv } from "../grid/tsv";

/** The columns that make the groups, and what is worked out for each group besides its number of rows. */
export interface Grouping {
  by: GroupColumn[];
  figures: Figure[];
  /** By a column of the table: the keys, the number of rows, the figures. */
  sort: GroupSort | null;
}

/** How each tab was grouped last; null if it never was. */
export type Groupings = Record<Role, Grouping | null>;

export const NO_GROUPINGS: Groupings = { input: null, downstream: null };

/** The engine groups by no more. */
export const MAX_BY = 3;

/** More groups are copied, but not drawn. */
export const SHOWN_GROUPS = 1000;

/** More groups than this are no summary. */
export const COPIED_GROUPS = 100_000;

export const UNITS: readonly { id: DateUnit | "whole"; name: string }[] = [
  { id: "day", name: "by day" },
  { id: "week", name: "by week" },
  { id: "month", name: "by month" },
  { id: "year", name: "by year" },
  { id: "whole", name: "each time" },
];

export const FIGURES: readonly { id: FigureKind; name: string }[] = [
  { id: "sum", name: "sum of" },
  { id: "average", name: "average of" },
  { id: "min", name: "minimum of" },
  { id: "max", name: "maximum of" },
  { id: "distinct", name: "distinct values of" },
  { id: "count", name: "filled cells of" },
];

const NUMBERS = new Set(["int32", "int64", "double", "decimal128"]);

/** Whether a column has something to add up. */
export function isSummable(column: ColumnView): boolean {
  return column.numeric || column.types.some((type) => NUMBERS.has(type));
}

export function isDated(column: ColumnView | undefined): boolean {
  return column?.types.includes("date") === true;
}

/** A column to group by; times by day, since hardly two are the same. */
export function groupBy(column: ColumnView): GroupColumn {
  return isDated(column) ? { path: column.path, unit: "day" } : { path: column.path };
}

/** How rows are grouped if nobody has said so: by day, if they have a time. */
export function firstGrouping({ columns, time_column }: ViewShape): Grouping {
  const time = columns.find(({ path }) => path === time_column);
  return { by: time === undefined ? [] : [groupBy(time)], figures: [], sort: null };
}

/** The grouping without what these rows have no column for. */
export function activeGrouping(held: Grouping | null, shape: ViewShape): Grouping {
  if (held === null) return firstGrouping(shape);
  const has = (path: string | null | undefined) => shape.columns.some((column) => column.path === path);
  const by = held.by.filter(({ path }) => has(path));
  const figures = held.figures.filter(({ path }) => has(path));
  const isWhole = by.length === held.by.length && figures.length === held.figures.length;
  return { by, figures, sort: isWhole ? held.sort : null };
}

/** The grouping with other columns or figures; its order went with the old ones. */
export function regrouped(grouping: Grouping, part: Partial<Pick<Grouping, "by" | "figures">>): Grouping {
  return { ...grouping, ...part, sort: null };
}

/** The grouping by one more column, or by it alone if there would be too many. */
export function groupedBy(grouping: Grouping, column: ColumnView): Grouping {
  if (grouping.by.some(({ path }) => path === column.path)) return grouping;
  const by = grouping.by.length < MAX_BY ? [...grouping.by, groupBy(column)] : [groupBy(column)];
  return regrouped(grouping, { by });
}

export function groupRequest({ by, figures, sort }: Grouping, zone: string, limit: number): GroupRequest {
  return { by, zone, figures: [{ what: "count", path: null }, ...figures], sort, limit };
}

/** The headings of the table of groups. */
export function headings({ by, figures }: Grouping, columns: readonly ColumnView[]): string[] {
  const units = new Map<string, string>(UNITS.map(({ id, name }) => [id, name]));
  const kinds = new Map<string, string>(FIGURES.map(({ id, name }) => [id, name]));
  return [
    ...by.map(({ path, unit }) => {
      const name = nameIn(columns, path);
      return unit == null ? name : `${name} ${units.get(unit)}`;
    }),
    "Rows",
    ...figures.map(({ what, path }) => `${kinds.get(what)} ${nameIn(columns, path ?? "")}`),
  ];
}

/** The order after a click on a heading: keys from the first, figures from the greatest; then the other way; then none. */
export function clickGroupSort(grouping: Grouping, column: number): Grouping {
  const first = column >= grouping.by.length;
  const { sort } = grouping;
  if (sort?.column !== column) return { ...grouping, sort: { column, descending: first } };
  return { ...grouping, sort: sort.descending === first ? { column, descending: !first } : null };
}

/**
 * The filters with those of a group. A column has one condition, so that of the group takes the place of another; it is
 * narrower, except that of a length of time of which an earlier filter may have left a part.
 */
export function withGroup(
  held: readonly HeldFilter[],
  { keys }: Group,
  by: readonly GroupColumn[],
): HeldFilter[] {
  return keys.reduce<HeldFilter[]>(
    (filters, { condition }, at) => {
      const path = by[at]?.path;
      return path === undefined ? filters : withCondition(filters, path, condition);
    },
    [...held],
  );
}

/** The cells of a group, in the order of the headings. The engine counts the rows as the first figure. */
export function cellsOf({ keys, rows, figures }: Group): Cell[] {
  return [...keys.map(({ text }) => text), String(rows), ...figures.slice(1)];
}

/** The groups as a table for a spreadsheet, figures digit for digit. */
export function groupsText(groups: readonly Group[], names: readonly string[]): string {
  const cells = groups.map(cellsOf);
  return toTsv(
    cells,
    names.map((_, place) => place),
    names,
  );
}

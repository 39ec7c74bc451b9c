import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import {
  type Backend,
  type ColumnFilter,
  type DaySpan,
  type Failure,
  type Role,
  toFailure,
  type ViewKey,
  type ViewShape,
} from "../backend";
import { useBackend } from "../backend/context";
import { pause } from "../controls/pause";
import { asked } from "./asked";
import { activeFilters, type HeldFilter, rowQuery, typedText } from "./filters";

/** Rows that are shown: which, of which state of the file, and how many. They belong together. */
export interface Narrowed {
  shape: ViewShape;
  stamp: string;
  /** What narrows them. */
  filters: ColumnFilter[];
  /** The days that they are narrowed to; null for all. */
  days: DaySpan[] | null;
  rows: number;
}

/** Whether these are not all rows of the answer. */
export function isNarrowed({ filters, days }: Narrowed): boolean {
  return filters.length > 0 || days !== null;
}

/** Moving along the days counts only where it ends. */
const PAUSE_MS = 120;

interface Props {
  viewKey: ViewKey;
  role: Role;
  /** Null until it has been read. */
  shape: ViewShape | null;
  stamp: string;
  /** The filters that stand. */
  held: HeldFilter[];
  /** The days that the rows are narrowed to; null for all. It is the same object as long as they are the same. */
  days: DaySpan[] | null;
  setHeld: (held: HeldFilter[]) => void;
  /** Reads the shape again. */
  reload: () => void;
}

/** Filters that are tried, and what was wrong with them; of one tab of one answer. */
interface Attempt {
  of: string;
  /** Null if they stand or were refused. */
  wanted: HeldFilter[] | null;
  /** The filters that were refused, with the reason. */
  mistakes: Record<string, Mistake>;
  /** Why the rows could not be counted. */
  failure: Failure | null;
}

export interface Mistake {
  text: string;
  /** A sentence. */
  message: string;
}

const NO_MISTAKES: Record<string, Mistake> = {};

export interface Narrowing {
  /** Null until the rows are known. */
  narrowed: Narrowed | null;
  /** The filters that are being tried, or those that stand. */
  wanted: HeldFilter[];
  pending: boolean;
  mistakes: Readonly<Record<string, Mistake>>;
  failure: Failure | null;
  retry: () => void;
  /**
   * Tries other filters, of one column if it is named. They stand once the engine has counted their rows; until then,
   * everything stays.
   */
  propose: (path: string | null, change: (held: HeldFilter[]) => HeldFilter[]) => void;
}

function countRows(
  backend: Backend,
  key: ViewKey,
  role: Role,
  filters: ColumnFilter[],
  days: DaySpan[] | null,
  signal: AbortSignal,
) {
  return asked(backend, signal, (id) => backend.rowCount(key, rowQuery(role, [], filters, days), id));
}

/** The path of the column that a failure is about. */
function columnOf({ target }: Failure): string | null {
  return target?.field === "column" ? target.path : null;
}

function mistakeOf({ condition }: HeldFilter, { message }: Failure): Mistake {
  return { text: typedText(condition), message };
}

/** The filters with that of a column as it was before. */
function withoutChange(wanted: HeldFilter[], before: HeldFilter[], path: string): HeldFilter[] {
  const old = before.find((filter) => filter.path === path);
  return wanted.flatMap((filter) => (filter.path !== path ? [filter] : old === undefined ? [] : [old]));
}

/** The rows of a tab under the filters of its columns. Mistakes in a new filter leave the rows as they were. */
export function useNarrowed(props: Props): Narrowing {
  const { viewKey, role, shape, stamp, held, days, setHeld, reload } = props;
  const backend = useBackend();
  const client = useQueryClient();
  const { signature, from, to } = viewKey;
  const of = [signature, from, to, role].join("|");
  const columns = shape?.columns;
  const active = useMemo(() => activeFilters(held, columns ?? []), [held, columns]);
  const keyOf = useCallback(
    (filters: ColumnFilter[]) => ["row_count", of, stamp, JSON.stringify([filters, days])],
    [of, stamp, days],
  );
  const narrows = active.length > 0 || days !== null;
  const count = useQuery({
    queryKey: keyOf(active),
    queryFn: async ({ signal }) => {
      if (days !== null) await pause(PAUSE_MS, signal);
      return countRows(backend, viewKey, role, active, days, signal);
    },
    enabled: shape !== null && narrows,
    // The stamp says when to read again.
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const counted = narrows ? count.data : undefined;
  const isOther = shape !== null && counted !== undefined && counted.generation !== shape.generation;
  useEffect(() => {
    if (isOther) reload();
  }, [isOther, reload]);

  const fresh = useMemo<Narrowed | null>(() => {
    if (shape === null) return null;
    if (!narrows) return { shape, stamp, filters: active, days, rows: shape.rows };
    if (counted === undefined || isOther) return null;
    return { shape, stamp, filters: active, days, rows: counted.rows };
  }, [shape, stamp, active, days, narrows, counted, isOther]);
  // Rows of an earlier state stay until those of the present one are counted.
  const [last, setLast] = useState<{ of: string; narrowed: Narrowed } | null>(null);
  if (fresh !== null && last?.narrowed !== fresh) setLast({ of, narrowed: fresh });
  const narrowed = fresh ?? (last?.of === of ? last.narrowed : null);

  const [attempt, setAttempt] = useState<Attempt | null>(null);
  const mine = attempt?.of === of ? attempt : null;
  const running = useRef<AbortController | null>(null);
  useEffect(
    () => () => {
      running.current?.abort();
      setAttempt(null);
    },
    [of],
  );

  const base = mine?.wanted ?? held;
  const known = mine?.mistakes ?? NO_MISTAKES;
  const propose = useCallback(
    async (path: string | null, change: (held: HeldFilter[]) => HeldFilter[]) => {
      // What was asked before is of no use any more, and the engine stops it.
      running.current?.abort();
      const { signal } = (running.current = new AbortController());
      let mistakes = Object.fromEntries(Object.entries(known).filter(([at]) => at !== path));
      let wanted = change(base);
      while (JSON.stringify(wanted) !== JSON.stringify(held)) {
        const filters = activeFilters(wanted, columns ?? []);
        setAttempt({ of, wanted, mistakes, failure: null });
        try {
          if (filters.length > 0) {
            const count = await countRows(backend, viewKey, role, filters, days, signal);
            if (signal.aborted) return;
            client.setQueryData(keyOf(filters), count);
          }
          setHeld(wanted);
          break;
        } catch (error) {
          if (signal.aborted) return;
          const failure = toFailure(error);
          const at = columnOf(failure);
          const refused = wanted.find((filter) => filter.path === at);
          if (failure.code !== "bad_filter" || refused === undefined) {
            setAttempt({ of, wanted: null, mistakes, failure });
            return;
          }
          mistakes = { ...mistakes, [refused.path]: mistakeOf(refused, failure) };
          // What was changed along with it need not wait for the correction.
          wanted = withoutChange(wanted, held, refused.path);
        }
      }
      setAttempt({ of, wanted: null, mistakes, failure: null });
    },
    [backend, client, viewKey, role, columns, days, of, keyOf, base, known, held, setHeld],
  );
  const { refetch } = count;
  const retry = useCallback(() => {
    setAttempt(null);
    void refetch();
  }, [refetch]);
  const failure = mine?.failure ?? (narrows && count.error !== null ? toFailure(count.error) : null);
  return {
    narrowed,
    wanted: base,
    pending: (mine !== null && mine.wanted !== null) || (narrows && count.isFetching),
    mistakes: known,
    failure,
    retry,
    propose: useCallback((path, change) => void propose(path, change), [propose]),
  };
}

import { type RefObject, useEffect, useState } from "react";

import type { ColumnView, RowQuery, ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { count } from "../controls/format";
import { pause } from "../controls/pause";
import { asked } from "./asked";
import type { GridHandle } from "./grid/GridView";
import { MAX_COPIED_ROWS, type Selected } from "./grid/selection";
import { type CellSums, countedText, sumCells } from "./selectionSums";

/** While a selection grows, it is added up only where it ends. */
const PAUSE_MS = 150;

/** More cells than this take too long to read; the engine adds up a whole column of any length. */
const MAX_CELLS = 200_000;

interface Props {
  grid: RefObject<GridHandle | null>;
  selected: Selected;
  columns: readonly ColumnView[];
  viewKey: ViewKey;
  /** The rows, in whatever order. */
  rows: RowQuery;
  /** How many there are. */
  length: number;
  /** Changes with the rows. */
  stamp: string;
}

/** What is known of a selection; null while it is being read. */
type Known = { sums: CellSums } | { tooMany: true } | null;

/** The figures of a selection of several cells, exact. */
export function SelectionSums({ grid, selected, columns, viewKey, rows, length, stamp }: Props) {
  const backend = useBackend();
  const [known, setKnown] = useState<Known>(null);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const read = async (): Promise<Known> => {
      setKnown(null);
      await pause(PAUSE_MS, signal);
      const cells = grid.current?.selectedCells() ?? null;
      if (cells === null) return null;
      const summed = cells.places.map((place) => ({ column: columns[place], place }));
      const [only] = summed;
      if (summed.length === 1 && cells.rows === length && only?.column !== undefined && length > MAX_CELLS) {
        const { path } = only.column;
        const sums = await asked(backend, signal, (id) => backend.columnSums(viewKey, rows, path, id));
        return { sums: { ...sums, cells: sums.rows } };
      }
      const isMany = cells.rows > MAX_COPIED_ROWS || cells.rows * summed.length > MAX_CELLS;
      return isMany ? { tooMany: true } : { sums: sumCells(await cells.read(), summed) };
    };
    if (selected.rows * selected.columns > 1) {
      read().then(
        (next) => {
          if (!signal.aborted) setKnown(next);
        },
        // A selection whose rows have changed is read again with them.
        () => undefined,
      );
    }
    return () => stop.abort();
  }, [backend, grid, selected, columns, viewKey, rows, length, stamp]);
  if (selected.rows * selected.columns <= 1 || known === null) return null;
  return (
    <span role="status" className="selection-sums" data-testid="selection-sums">
      {"tooMany" in known ? (
        `More than ${count(MAX_CELLS)} cells are added up one whole column at a time`
      ) : (
        <Figures sums={known.sums} />
      )}
    </span>
  );
}

function Figures({ sums }: { sums: CellSums }) {
  const figures: [string, string | null][] = [
    ["sum", sums.sum],
    ["average", sums.average],
    ["min", sums.min],
    ["max", sums.max],
  ];
  return (
    <>
      <span className="num">{countedText(sums)}</span>
      {figures.map(
        ([what, figure]) =>
          figure !== null && (
            <span key={what}>
              {what} <span className="num sum-figure">{figure}</span>
            </span>
          ),
      )}
    </>
  );
}

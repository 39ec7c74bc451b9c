// The row of a document that is to be shown: found in the rows as they are sorted and filtered.

import { createContext, use } from "react";

import type { Backend, Role, RowQuery, ViewKey, ViewShape } from "../backend";
import { asked } from "./asked";

/** A document whose row is wanted. */
export interface Sought {
  /** The query that has it. */
  signature: string;
  role: Role;
  /** Its `_id` as a cell shows it. */
  id: string;
  /** The id of its trade. */
  trade: string;
  /** The day that it belongs to, if it has one. */
  day: string | null;
}

export interface RowSeeker {
  /** What is looked for, and how often something has been; null if nothing is. */
  sought: (Sought & { ask: number }) | null;
  /** Shows a row, in a different query if need be. */
  seek: (sought: Sought) => void;
}

export const RowSeekerContext = createContext<RowSeeker>({ sought: null, seek: () => undefined });

export function useRowSeeker(): RowSeeker {
  return use(RowSeekerContext);
}

/** A short id is part of many cells; more of them than this are not looked through. */
const MOST_TRIES = 200;

interface In {
  viewKey: ViewKey;
  rows: RowQuery;
  shape: ViewShape;
}

interface Mark {
  /** A cell that identifies the document: the place of its column, and its text. */
  place: number;
  cell: string;
  /** The texts to search for, the rarer first. */
  texts: string[];
}

/** How a document is recognised among rows. */
export function markOf(shape: ViewShape, { id, trade }: Sought): Mark {
  const placeOf = (path: string | null) => shape.columns.findIndex((column) => column.path === path);
  const [own, traded] = [placeOf("_id"), placeOf(shape.trade_column)];
  // A compound `_id` has no cell of its own; the trade has one then.
  if (own < 0) return { place: traded, cell: trade, texts: [trade] };
  const isRarer = traded >= 0 && trade.length > id.length;
  return { place: own, cell: id, texts: isRarer ? [trade, id] : [id] };
}

/** The position of a document among the rows; null if it is not among them. */
export async function placeOf(
  backend: Backend,
  { viewKey, rows, shape }: In,
  sought: Sought,
  signal: AbortSignal,
): Promise<number | null> {
  const { place, cell, texts } = markOf(shape, sought);
  for (const text of texts) {
    let from = 0;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const start = from;
      const { position } = await asked(backend, signal, (id) =>
        backend.findRow(viewKey, rows, text, start, true, id),
      );
      signal.throwIfAborted();
      if (position === null) break;
      const page = await backend.page(viewKey, rows, { offset: position, limit: 1, columns: null });
      signal.throwIfAborted();
      if (page.rows[0]?.[place] === cell) return position;
      from = position + 1;
    }
  }
  return null;
}

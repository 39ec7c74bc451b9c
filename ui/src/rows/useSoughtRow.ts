import { type RefObject, useEffect, useRef } from "react";

import { type Role, type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { useToast } from "../controls/toasts";
import type { GridHandle } from "./grid/GridView";
import { placeOf, useRowSeeker } from "./soughtRow";
import { isNarrowed, type Narrowed } from "./useNarrowed";

interface Pane {
  role: Role;
  viewKey: ViewKey;
  rows: RowQuery;
  narrowed: Narrowed;
  grid: RefObject<GridHandle | null>;
  /** Switches off what narrows the rows. */
  widen: () => void;
}

/** Goes to the row that is looked for, if it is one of these rows. What hides it is switched off. */
export function useSoughtRow({ role, viewKey, rows, narrowed, grid, widen }: Pane): void {
  const backend = useBackend();
  const say = useToast();
  const { sought } = useRowSeeker();
  const { shape } = narrowed;
  const hides = isNarrowed(narrowed);
  /** The last one that was found or given up, and the last one that filters were switched off for. */
  const done = useRef(0);
  const widened = useRef(0);
  useEffect(() => {
    if (sought === null || sought.ask === done.current) return;
    if (sought.signature !== viewKey.signature || sought.role !== role) return;
    // The rows of the days that are being opened come in a moment.
    if (sought.day !== null && (sought.day < viewKey.from || sought.day > viewKey.to)) return;
    const running = new AbortController();
    const { signal } = running;
    const look = async () => {
      const position = await placeOf(backend, { viewKey, rows, shape }, sought, signal);
      if (position !== null) {
        done.current = sought.ask;
        grid.current?.goTo(position);
        grid.current?.perform("select_row", { row: position, path: null });
        grid.current?.focus();
        if (widened.current === sought.ask) say("The filters of the rows were switched off to show the row");
      } else if (hides && widened.current !== sought.ask) {
        widened.current = sought.ask;
        widen();
      } else {
        done.current = sought.ask;
        const what = role === "input" ? "trade" : "message";
        say(`The ${what} is not among these rows. Its day may have been fetched again since.`);
      }
    };
    look().catch((error: unknown) => {
      if (signal.aborted) return;
      done.current = sought.ask;
      say(toFailure(error));
    });
    return () => running.abort();
  }, [backend, say, sought, role, viewKey, rows, shape, hides, grid, widen]);
}

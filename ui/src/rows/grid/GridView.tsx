import { useEffect, useImperativeHandle, useRef } from "react";

import type { Sort } from "../../backend";
import type { ColumnPrefs } from "./columns";
import type { At, Content, FilterFields, Handlers, SelectedCells } from "./contract";
import { GridController } from "./controller";
import type { Cell } from "./tsv";

export interface GridHandle {
  focus: () => void;
  perform: GridController["perform"];
  /** The active cell; null if there is none. */
  here: () => At | null;
  /** Moves the focus to the field that filters by a column. */
  focusFilter: (path: string | null) => void;
  /** The value of a cell; undefined if its row has not been read. */
  valueAt: (at: At) => Cell | undefined;
  /** What is selected; null if nothing is. */
  selectedCells: () => SelectedCells | null;
  /** Where a popover about a column opens. */
  belowHeading: (path: string) => { x: number; y: number };
  /** Makes a row the active one, without taking the focus. */
  goTo: (row: number) => void;
}

/** The height of the measuring element, in em. */
const MEASURED_EMS = 10;

interface Props {
  label: string;
  content: Content;
  prefs: ColumnPrefs;
  sorts: readonly Sort[];
  filters: FilterFields;
  handlers: Handlers;
  ref?: React.Ref<GridHandle>;
}

/** The grid as a component. SlickGrid owns everything inside the host element. */
export function GridView({ label, content, prefs, sorts, filters, handlers, ref }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const measure = useRef<HTMLSpanElement>(null);
  const controller = useRef<GridController | null>(null);
  const first = useRef({ handlers, prefs });

  useEffect(() => {
    if (host.current === null) return;
    const made = new GridController(host.current, first.current.handlers, first.current.prefs);
    controller.current = made;
    const measured = measure.current;
    // It grows with the zoom of the window and with the system's text size.
    const observer = new ResizeObserver(() => made.setEm((measured?.offsetHeight ?? 0) / MEASURED_EMS));
    if (measured !== null) observer.observe(measured);
    return () => {
      observer.disconnect();
      controller.current = null;
      made.destroy();
    };
  }, []);

  useEffect(() => controller.current?.setHandlers(handlers), [handlers]);
  useEffect(() => controller.current?.show(content, prefs, sorts), [content, prefs, sorts]);
  useEffect(() => controller.current?.showFilters(filters), [filters]);
  useImperativeHandle(
    ref,
    () => ({
      focus: () => controller.current?.focus(),
      perform: (command, at) => controller.current?.perform(command, at),
      here: () => controller.current?.here() ?? null,
      valueAt: (at) => controller.current?.valueAt(at),
      selectedCells: () => controller.current?.selectedCells() ?? null,
      belowHeading: (path) => controller.current?.belowHeading(path) ?? { x: 0, y: 0 },
      goTo: (row) => controller.current?.goTo(row),
      focusFilter: (path) => controller.current?.focusFilter(path),
    }),
    [],
  );

  return (
    <>
      <span ref={measure} className="grid-measure" aria-hidden="true" />
      <div
        ref={host}
        className="grid-host"
        aria-label={label}
        data-testid="grid"
        data-rows={content.length}
      />
    </>
  );
}

import { useEffect, useImperativeHandle, useRef } from "react";

import type { Sort } from "../../backend";
import type { ColumnPrefs } from "./columns";
import type { At, Content, Handlers } from "./contract";
import { GridController } from "./controller";

export interface GridHandle {
  focus: () => void;
  perform: GridController["perform"];
  /** The active cell; null if there is none. */
  here: () => At | null;
}

/** The height of the measuring element, in em. */
const MEASURED_EMS = 10;

interface Props {
  label: string;
  content: Content;
  prefs: ColumnPrefs;
  sorts: readonly Sort[];
  handlers: Handlers;
  ref?: React.Ref<GridHandle>;
}

/** The grid as a component. SlickGrid owns everything inside the host element. */
export function GridView({ label, content, prefs, sorts, handlers, ref }: Props) {
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
  useImperativeHandle(
    ref,
    () => ({
      focus: () => controller.current?.focus(),
      perform: (command, at) => controller.current?.perform(command, at),
      here: () => controller.current?.here() ?? null,
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

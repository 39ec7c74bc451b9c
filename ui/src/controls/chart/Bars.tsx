import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useRef, useState } from "react";

import { commandOf } from "../keys";
import { barAt, between, clicked, moved, moveOf, toggled } from "./barKeys";

/** A bar as it is pointed at, focused and read out. */
export interface BarPlace {
  /** What it is, for screen readers. */
  text: string;
  /** Attributes for styles and tests: `data-day`, `data-kind`. */
  data?: Readonly<Record<`data-${string}`, string | undefined>>;
}

interface Props {
  /** What the bars are, and of what. */
  label: string;
  bars: readonly BarPlace[];
  /** The selected bars, in order. */
  selected: readonly number[];
  /** Null if bars cannot be selected. */
  select: ((bars: number[]) => void) | null;
  /** How many bars the up and down keys go by. */
  leap: number;
  /** The bar that is looked at, and the left edge of its place as a share of the width; null if none is. */
  tip: (at: number, dragged: readonly number[]) => ReactNode;
  /** Takes keys first, and the menu. It is about the bar that has the focus or the pointer. */
  onKeyDown?: ((event: KeyboardEvent<HTMLElement>, at: number) => void) | undefined;
  onContextMenu?: ((event: React.MouseEvent<HTMLElement>, at: number) => void) | undefined;
  onDoubleClick?: ((at: number) => void) | undefined;
  testId?: string;
  children: ReactNode;
}

interface Drag {
  from: number;
  to: number;
  /** It has left the bar that it began at. */
  moved: boolean;
}

/**
 * A list of bars over their picture, which is given as children: a pointer and keys select in it, and a screen reader
 * reads it.
 */
export const Bars = memo(function Bars(props: Props) {
  const { label, bars, selected, select, leap, onKeyDown, onContextMenu, onDoubleClick } = props;
  const count = bars.length;
  const host = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const [home, setHome] = useState(0);
  /** Where a selection by Shift begins. */
  const [anchor, setAnchor] = useState(0);
  const [drag, setDrag] = useState<Drag | null>(null);
  const stop = Math.min(home, count - 1);
  const shown = drag?.moved === true ? between(drag.from, drag.to) : selected;
  const chosen = new Set(shown);

  /** The bar that an element belongs to. */
  const barOf = (target: EventTarget): number | null => {
    const bar = target instanceof Element ? target.closest("[data-at]") : null;
    return bar === null ? null : Number(bar.getAttribute("data-at"));
  };
  const placeOf = ({ clientX, target }: { clientX: number; target: EventTarget }): number | null => {
    const box = host.current?.getBoundingClientRect();
    const at = box === undefined ? null : barAt(clientX - box.left, box.width, count);
    return at ?? barOf(target);
  };
  const focus = (at: number) => {
    setHome(at);
    host.current?.querySelector<HTMLElement>(`[data-at="${at}"]`)?.focus();
  };

  const press = (event: KeyboardEvent<HTMLElement>) => {
    const here = barOf(event.target) ?? stop;
    onKeyDown?.(event, here);
    if (event.defaultPrevented) return;
    const command = commandOf("days", event);
    if (command === null) return;
    const move = moveOf(command, leap, count);
    if (move !== null) {
      event.preventDefault();
      const to = moved(here, move.by, count);
      focus(to);
      if (select === null || move.kind === "look") return setAnchor(to);
      if (move.kind === "extend") return select(between(Math.min(anchor, count - 1), to));
      setAnchor(to);
      select([to]);
    } else if (command === "toggle_day" && select !== null) {
      event.preventDefault();
      setAnchor(here);
      select(toggled(selected, here));
    } else if (command === "all_days" && (drag !== null || selected.length > 0)) {
      // Escape leaves what is narrowed before it cancels a fetch.
      event.preventDefault();
      event.stopPropagation();
      if (drag !== null) setDrag(null);
      else select?.([]);
    }
  };
  const begin = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    if (event.button !== 0 || at === null) return;
    if (event.shiftKey && select !== null) {
      event.preventDefault();
      focus(at);
      return select(between(Math.min(anchor, count - 1), at));
    }
    setAnchor(at);
    setDrag({ from: at, to: at, moved: false });
    event.currentTarget.setPointerCapture?.(event.pointerId);
  };
  const follow = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    if (at === null) return;
    setPointed(at);
    if (drag !== null && drag.to !== at) setDrag({ ...drag, to: at, moved: true });
  };
  const end = (event: PointerEvent<HTMLElement>) => {
    if (drag === null) return;
    setDrag(null);
    if (drag.moved) {
      focus(drag.to);
      return select?.(between(drag.from, drag.to));
    }
    focus(drag.from);
    // The second press of a double click is part of it.
    if (clickTwice.current.at === drag.from && event.timeStamp - clickTwice.current.time < DOUBLE_MS) return;
    clickTwice.current = { at: drag.from, time: event.timeStamp };
    select?.(clicked(selected, drag.from, event.ctrlKey || event.metaKey));
  };
  const clickTwice = useRef({ at: -1, time: -Infinity });
  const looked = pointed === null || pointed >= count ? null : pointed;
  return (
    <div className="bars" data-testid={props.testId} data-dragging={drag?.moved || undefined}>
      {props.children}
      <div
        ref={host}
        role="listbox"
        aria-label={label}
        aria-orientation="horizontal"
        aria-multiselectable={select === null ? undefined : true}
        className="bar-places"
        onKeyDown={press}
        onPointerDown={begin}
        onPointerMove={follow}
        onPointerUp={end}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setPointed(null)}
        onDoubleClick={(event) => {
          const at = placeOf(event);
          if (at !== null) onDoubleClick?.(at);
        }}
        onContextMenu={(event) => {
          const at = placeOf(event);
          if (at === null) return;
          setHome(at);
          onContextMenu?.(event, at);
        }}
      >
        {bars.map((bar, at) => (
          <div
            key={at}
            role="option"
            className="bar-place"
            aria-label={bar.text}
            aria-selected={chosen.has(at)}
            data-at={at}
            data-chosen={chosen.has(at) || undefined}
            {...bar.data}
            tabIndex={at === stop ? 0 : -1}
            onFocus={() => {
              setHome(at);
              setPointed(at);
            }}
            onBlur={() => setPointed(null)}
          />
        ))}
      </div>
      {looked !== null && (
        <div
          className="bar-tip"
          aria-hidden="true"
          data-side={(looked + 0.5) / count > 0.5 ? "left" : "right"}
          style={{
            [(looked + 0.5) / count > 0.5 ? "right" : "left"]:
              `${100 * ((looked + 0.5) / count > 0.5 ? 1 - (looked + 1) / count : looked / count)}%`,
          }}
          data-testid="bar-tip"
        >
          {props.tip(looked, drag?.moved === true ? shown : [])}
        </div>
      )}
    </div>
  );
});

/** Two presses within this time are a double click. */
const DOUBLE_MS = 500;

import { type KeyboardEvent, type PointerEvent, useRef } from "react";

import type { Command } from "./commands";
import { commandOf } from "./keys";

interface Props {
  /** What is resized. */
  label: string;
  /** Which side of the panel the edge is on. */
  side: "left" | "right" | "top" | "bottom";
  /** The size of the panel in pixels. */
  size: number;
  least: number;
  most: number;
  testId: string;
  resize: (size: number) => void;
  /** Gives the panel its usual size. */
  reset: () => void;
}

/** How far one key moves the edge. */
const STEP = 24;

/** The edge of a panel: dragging it or moving it by keys changes the size of the panel. */
export function Splitter({ label, side, size, least, most, testId, resize, reset }: Props) {
  const dragged = useRef<{ from: number; size: number } | null>(null);
  const isUpright = side === "left" || side === "right";
  /** An edge on the right or at the bottom grows the panel to there; the others grow it to the left or upwards. */
  const sign = side === "right" || side === "bottom" ? 1 : -1;
  const set = (wanted: number) => resize(Math.round(Math.min(Math.max(wanted, least), most)));
  const at = (event: PointerEvent) => (isUpright ? event.clientX : event.clientY);

  const pressed = (event: KeyboardEvent) => {
    const command = commandOf("edges", event);
    if (command === null) return;
    const act: Record<Command<"edges">, (() => void) | null> = {
      edge_left: isUpright ? () => set(size - sign * STEP) : null,
      edge_right: isUpright ? () => set(size + sign * STEP) : null,
      edge_up: isUpright ? null : () => set(size - sign * STEP),
      edge_down: isUpright ? null : () => set(size + sign * STEP),
      smallest: () => set(least),
      largest: () => set(most),
      usual_size: reset,
    };
    if (act[command] === null) return;
    event.preventDefault();
    act[command]();
  };
  return (
    <div
      className="splitter"
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={isUpright ? "vertical" : "horizontal"}
      aria-valuenow={Math.min(Math.max(size, least), most)}
      aria-valuemin={least}
      aria-valuemax={most}
      title={`${label}: drag, or use the arrow keys; double click for the usual size`}
      data-side={side}
      data-testid={testId}
      onKeyDown={pressed}
      onDoubleClick={reset}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        dragged.current = { from: at(event), size };
        event.currentTarget.setPointerCapture?.(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (dragged.current === null) return;
        set(dragged.current.size + sign * (at(event) - dragged.current.from));
      }}
      onPointerUp={() => (dragged.current = null)}
      onPointerCancel={() => (dragged.current = null)}
    />
  );
}

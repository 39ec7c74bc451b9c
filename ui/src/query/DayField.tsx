import { type CalendarDate, parseDate } from "@internationalized/date";
import { type Ref, useEffect, useEffectEvent, useImperativeHandle, useRef, useState } from "react";
import { DateField, DateInput, DateSegment } from "react-aria-components";

import { completesSegment, isDay } from "./days";

export interface DayFieldHandle {
  focus: (edge: "first" | "last") => void;
  /** Whether an element is the first or the last segment to be typed in. */
  isEdge: (element: EventTarget, edge: "first" | "last") => boolean;
}

interface Props {
  label: string;
  testId: string;
  day: string;
  invalid: boolean;
  change: (day: string) => void;
  /** Called after the last digit has been typed and the new day has been drawn. */
  completed?: () => void;
  ref?: Ref<DayFieldHandle>;
}

/**
 * One day, typed digit by digit. Not half of a range picker: that would move the focus to its other half during
 * the keystroke, and losing the focus would store the day as it was before.
 */
export function DayField({ label, testId, day, invalid, change, completed, ref }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const typed = useRef("");
  const [completions, setCompletions] = useState(0);
  const [round, setRound] = useState(0);
  const onCompleted = useEffectEvent(() => completed?.());

  const edgeOf = (edge: "first" | "last") => {
    const segments = host.current?.querySelectorAll<HTMLElement>(".segment[contenteditable]");
    return segments?.[edge === "first" ? 0 : segments.length - 1];
  };
  useImperativeHandle(ref, () => ({
    focus: (edge) => edgeOf(edge)?.focus(),
    isEdge: (element, edge) => edgeOf(edge) === element,
  }));

  useEffect(() => {
    const field = host.current;
    if (field === null) return;
    const entered = () => {
      typed.current = "";
    };
    // When something unselectable is clicked, such as a cell of the grid, WebKit returns the focus to the editable
    // element that holds the selection: the arrow keys would then change the day.
    const left = (event: FocusEvent) => {
      if (event.relatedTarget instanceof Node && field.contains(event.relatedTarget)) return;
      const selection = window.getSelection();
      if (selection?.anchorNode && field.contains(selection.anchorNode)) selection.removeAllRanges();
    };
    // Runs after the segment's own listener, and renders together with the value that it stores.
    const input = (event: InputEvent) => {
      if (!(event.target instanceof HTMLElement) || event.target.dataset.type !== "day") return;
      const isDigit = event.inputType === "insertText" && /^\d$/.test(event.data ?? "");
      typed.current = isDigit ? typed.current + event.data : "";
      if (!completesSegment(typed.current, Number(event.target.getAttribute("aria-valuemax")))) return;
      typed.current = "";
      setCompletions((before) => before + 1);
    };
    field.addEventListener("focusin", entered);
    field.addEventListener("focusout", left);
    field.addEventListener("beforeinput", input);
    return () => {
      field.removeEventListener("focusin", entered);
      field.removeEventListener("focusout", left);
      field.removeEventListener("beforeinput", input);
    };
  }, []);
  useEffect(() => {
    if (completions > 0) onCompleted();
  }, [completions]);

  const value: CalendarDate | null = isDay(day) ? parseDate(day) : null;
  return (
    <div ref={host} className="day-field">
      <DateField
        key={round}
        aria-label={label}
        value={value}
        onChange={(date) => change(date?.toString() ?? "")}
        isInvalid={invalid}
        shouldForceLeadingZeros
        onBlur={() => {
          // A day left half typed falls back to the current one: the form must show what it would query.
          if (value !== null && host.current?.querySelector(".segment[data-placeholder]")) {
            setRound((before) => before + 1);
          }
        }}
      >
        <DateInput className="date-input" data-testid={testId}>
          {(segment) => <DateSegment segment={segment} className="segment" />}
        </DateInput>
      </DateField>
    </div>
  );
}

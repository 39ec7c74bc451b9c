import { toCalendarDate } from "@internationalized/date";
import { type ClipboardEvent, type KeyboardEvent, memo, useId, useRef, useState } from "react";
import {
  Button,
  CalendarCell,
  CalendarGrid,
  Dialog,
  DialogTrigger,
  Group,
  Heading,
  I18nProvider,
  Popover,
  RangeCalendar,
} from "react-aria-components";

import type { Failure } from "../backend";
import { Icon } from "../controls/icons";
import { DayField, type DayFieldHandle } from "./DayField";
import { pastedRange, rangeProblem } from "./days";
import { PRESETS, presetsOf } from "./presets";
import { zonedDay } from "./zonedDay";

interface Props {
  from: string;
  to: string;
  today: string;
  zone: string;
  failure: Failure | null;
  change: (from: string, to: string) => void;
}

/** First and last day, with presets. Days are those of the source's day zone. */
export const DateRange = memo(function DateRange({ from, to, today, zone, failure, change }: Props) {
  const [isOpen, setOpen] = useState(false);
  const group = useRef<HTMLDivElement>(null);
  const first = useRef<DayFieldHandle>(null);
  const last = useRef<DayFieldHandle>(null);
  const labelId = useId();
  const chosen = presetsOf(today, from, to);
  const invalid = failure !== null;
  // One or two ISO dates can be pasted from anywhere into the field.
  const pasted = (event: ClipboardEvent) => {
    const range = pastedRange(event.clipboardData.getData("text/plain"));
    if (range === null) return;
    event.preventDefault();
    change(range.from, range.to);
  };
  // The arrow keys move through the two fields as if they were one.
  const pressed = (event: KeyboardEvent) => {
    const { key, target, altKey } = event;
    if (altKey && (key === "ArrowDown" || key === "ArrowUp")) setOpen(true);
    else if (key === "ArrowRight" && first.current?.isEdge(target, "last")) last.current?.focus("first");
    else if (key === "ArrowLeft" && last.current?.isEdge(target, "first")) first.current?.focus("last");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    // English words with dates as 2025-01-31, as in the rest of the window, whatever the system's locale.
    // Not en-CA: its order of day and month differs between versions of the ICU data.
    <I18nProvider locale="en-SE">
      <div className="date-range">
        <div className="field-head">
          <span className="field-label" id={labelId}>
            Days
          </span>
          <span
            className="faint"
            data-testid="day-zone"
            title="Days run from midnight to midnight in this time zone"
          >
            {zone}
          </span>
        </div>
        <div ref={group} onPaste={pasted} onKeyDownCapture={pressed}>
          <Group className="date-group" aria-labelledby={labelId} isInvalid={invalid}>
            <DayField
              ref={first}
              label="First day"
              testId="date-from"
              day={from}
              invalid={invalid}
              change={(day) => change(day, to)}
              completed={() => last.current?.focus("first")}
            />
            <span aria-hidden="true" className="faint">
              –
            </span>
            <DayField
              ref={last}
              label="Last day"
              testId="date-to"
              day={to}
              invalid={invalid}
              change={(day) => change(from, day)}
            />
            <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
              <Button className="icon-button" aria-label="Open the calendar">
                <Icon name="calendar" />
              </Button>
              <Popover className="popover" placement="bottom start" triggerRef={group}>
                <Dialog className="popover-body" aria-label="First and last day">
                  <RangeCalendar
                    className="calendar"
                    aria-label="Days"
                    autoFocus
                    firstDayOfWeek="mon"
                    value={
                      rangeProblem(from, to) === null
                        ? { start: zonedDay(from, zone), end: zonedDay(to, zone) }
                        : null
                    }
                    defaultFocusedValue={zonedDay(rangeProblem(from, from) === null ? from : today, zone)}
                    onChange={({ start, end }) => {
                      change(toCalendarDate(start).toString(), toCalendarDate(end).toString());
                      setOpen(false);
                    }}
                  >
                    <header>
                      <Button slot="previous" className="icon-button">
                        <Icon name="prev" />
                      </Button>
                      <Heading />
                      <Button slot="next" className="icon-button">
                        <Icon name="next" />
                      </Button>
                    </header>
                    <CalendarGrid>
                      {(date) => <CalendarCell date={date} className="calendar-cell" />}
                    </CalendarGrid>
                  </RangeCalendar>
                </Dialog>
              </Popover>
            </DialogTrigger>
          </Group>
        </div>
      </div>
      <div className="presets" role="group" aria-label="Preset ranges">
        {PRESETS.map((preset) => (
          <Button
            key={preset.id}
            className="preset"
            aria-pressed={chosen.includes(preset.id)}
            data-testid={`preset-${preset.id}`}
            aria-label={preset.hint === preset.label ? undefined : `${preset.label}: ${preset.hint}`}
            onPress={() => {
              const range = preset.range(today);
              change(range.from, range.to);
            }}
          >
            {preset.label}
          </Button>
        ))}
      </div>
      {failure && (
        <p className="field-error" role="alert" data-testid="range-error">
          {failure.message} <span className="faint">{failure.next}</span>
        </p>
      )}
    </I18nProvider>
  );
});

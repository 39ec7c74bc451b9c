import { type CalendarDate, parseDate } from "@internationalized/date";
import { type ClipboardEvent, memo } from "react";
import {
  Button,
  CalendarCell,
  CalendarGrid,
  DateInput,
  DateRangePicker,
  DateSegment,
  Dialog,
  Group,
  Heading,
  I18nProvider,
  Label,
  Popover,
  RangeCalendar,
} from "react-aria-components";

import type { Failure } from "../backend";
import { isDay } from "../logic/days";
import { presetOf, PRESETS } from "../logic/presets";
import { Icon } from "./icons";

interface Props {
  from: string;
  to: string;
  today: string;
  zone: string;
  failure: Failure | null;
  change: (from: string, to: string) => void;
}

/** The range of the picker: it takes only days that exist. */
function pickerValue(from: string, to: string): { start: CalendarDate; end: CalendarDate } | null {
  return isDay(from) && isDay(to) ? { start: parseDate(from), end: parseDate(to) } : null;
}

/** First and last day, with presets. Days are those of the source's day zone. */
export const DateRange = memo(function DateRange({ from, to, today, zone, failure, change }: Props) {
  const chosen = presetOf(today, from, to);
  // One or two ISO dates can be pasted from anywhere into the field.
  const pasted = (event: ClipboardEvent) => {
    const days = event.clipboardData
      .getData("text/plain")
      .match(/\d{4}-\d{2}-\d{2}/g)
      ?.filter(isDay);
    if (!days?.[0]) return;
    event.preventDefault();
    change(days[0], days[1] ?? days[0]);
  };

  return (
    // English words with dates as 2025-01-31, as in the rest of the window, whatever the system's locale.
    // Not en-CA: its order of day and month differs between versions of the ICU data.
    <I18nProvider locale="en-SE">
      <DateRangePicker
        className="date-range"
        value={pickerValue(from, to)}
        onChange={(range) => change(range?.start.toString() ?? "", range?.end.toString() ?? "")}
        isInvalid={failure !== null}
        firstDayOfWeek="mon"
        shouldForceLeadingZeros
      >
        <div className="field-head">
          <Label className="field-label">Days</Label>
          <span
            className="faint"
            data-testid="day-zone"
            title="A day begins and ends at midnight in this zone"
          >
            {zone}
          </span>
        </div>
        <Group className="date-group" onPaste={pasted}>
          <DateInput slot="start" className="date-input" data-testid="date-from">
            {(segment) => <DateSegment segment={segment} className="segment" />}
          </DateInput>
          <span aria-hidden="true" className="faint">
            –
          </span>
          <DateInput slot="end" className="date-input" data-testid="date-to">
            {(segment) => <DateSegment segment={segment} className="segment" />}
          </DateInput>
          <Button className="icon-button" aria-label="Choose in a calendar">
            <Icon name="calendar" />
          </Button>
        </Group>
        <Popover className="popover" placement="bottom start">
          <Dialog className="popover-body">
            <RangeCalendar className="calendar">
              <header>
                <Button slot="previous" className="icon-button">
                  <Icon name="prev" />
                </Button>
                <Heading />
                <Button slot="next" className="icon-button">
                  <Icon name="next" />
                </Button>
              </header>
              <CalendarGrid>{(date) => <CalendarCell date={date} className="calendar-cell" />}</CalendarGrid>
            </RangeCalendar>
          </Dialog>
        </Popover>
      </DateRangePicker>
      <div className="presets" role="group" aria-label="Ready-made ranges">
        {PRESETS.map((preset) => (
          <Button
            key={preset.id}
            className="preset"
            data-chosen={preset.id === chosen || undefined}
            data-testid={`preset-${preset.id}`}
            aria-label={preset.hint}
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

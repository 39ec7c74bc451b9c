import { useState } from "react";
import { Button, Checkbox } from "react-aria-components";

import type { ColumnView } from "../backend";
import { PickList } from "../controls/PickList";
import { ColumnPopover } from "./ColumnPopover";
import {
  cellText,
  type ColumnFormat,
  type Formats,
  type NumberFormat,
  numberFormat,
  type Separator,
  type Sign,
  type TimeFormat,
  timeFormat,
  withFormat,
  type Zones,
} from "./grid/cellFormat";
import { columnName } from "./grid/columns";

interface Props {
  /** Where it opens, in the window. */
  at: { x: number; y: number };
  column: ColumnView;
  formats: Formats;
  zones: Zones;
  change: (formats: Formats) => void;
  close: () => void;
}

const SEPARATORS: readonly { id: Separator; name: string }[] = [
  { id: "none", name: "1234567.5" },
  { id: "comma", name: "1,234,567.5" },
  { id: "point", name: "1.234.567,5" },
  { id: "space", name: "1\u202f234\u202f567.5" },
  { id: "apostrophe", name: "1’234’567.5" },
];

const SIGNS: readonly { id: Sign; name: string }[] = [
  { id: "minus", name: "-1" },
  { id: "always", name: "+1 and -1" },
  { id: "brackets", name: "(1)" },
];

const DECIMALS: readonly { id: string; name: string }[] = [
  { id: "all", name: "as stored" },
  ...Array.from({ length: 11 }, (_, at) => ({ id: String(at), name: String(at) })),
];

/** What a format is tried on. */
const EXAMPLES = ["1234567.891", "-0.5"];
const TIME_EXAMPLE = "2025-07-03T09:30:00.123Z";

/** How a column shows its numbers and times, or how all columns do. */
export function FormatDialog({ at, column, formats, zones, change, close }: Props) {
  const [forAll, setForAll] = useState(false);
  const { path } = column;
  const isTimed = column.types.includes("date");
  const number = numberFormat(formats, path);
  const set = (part: ColumnFormat) => {
    // What holds for all of them holds for this one as well.
    change(withFormat(formats, forAll ? null : path, part));
  };
  const setNumber = (part: Partial<NumberFormat>) => set({ number: { ...number, ...part } });
  const times: { id: TimeFormat; name: string }[] = [
    { id: "stored", name: "as stored (UTC)" },
    { id: "utc", name: "UTC" },
    { id: "days", name: `the zone of the days (${zones.days})` },
    { id: "local", name: `this computer's (${zones.local})` },
  ];
  const examples = isTimed ? [TIME_EXAMPLE] : EXAMPLES;
  return (
    <ColumnPopover
      at={at}
      className="format-dialog"
      label={`Format of ${columnName(column)}`}
      testId="format-dialog"
      close={close}
    >
      <strong>{columnName(column)}</strong>
      <Checkbox
        className="checkbox"
        isSelected={forAll}
        onChange={(on) => {
          setForAll(on);
          if (on) change(withFormat(formats, null, ownFormat(formats, path, isTimed)));
        }}
        data-testid="format-all"
      >
        <span className="checkbox-box" aria-hidden="true" />
        {isTimed ? "For all columns with times" : "For all columns of numbers"}
      </Checkbox>
      {isTimed && (
        <div className="format-line">
          <span className="faint">Times in</span>
          <PickList
            label="Times in"
            options={times}
            value={timeFormat(formats, path)}
            change={(time) => set({ time })}
            testId="format-zone"
          />
        </div>
      )}
      {column.numeric && (
        <>
          <div className="format-line">
            <span className="faint">Thousands</span>
            <PickList
              label="Thousands"
              options={SEPARATORS}
              value={number.separator}
              change={(separator) => setNumber({ separator })}
              testId="format-separator"
            />
          </div>
          <div className="format-line">
            <span className="faint">Decimals</span>
            <PickList
              label="Decimals"
              options={DECIMALS}
              value={number.decimals === null ? "all" : String(number.decimals)}
              change={(id) => setNumber({ decimals: id === "all" ? null : Number(id) })}
              testId="format-decimals"
            />
          </div>
          <div className="format-line">
            <span className="faint">Sign</span>
            <PickList
              label="Sign"
              options={SIGNS}
              value={number.sign}
              change={(sign) => setNumber({ sign })}
              testId="format-sign"
            />
          </div>
        </>
      )}
      {isTimed || column.numeric ? (
        <p className="faint num" data-testid="format-example">
          {examples.map((text) => cellText(text, column, formats, zones)).join("   ")}
        </p>
      ) : (
        <p className="faint">This column has neither numbers nor times.</p>
      )}
      <p className="faint">Copies have the values as they are stored.</p>
      <div className="buttons">
        <Button className="button" onPress={close} autoFocus>
          Close
        </Button>
      </div>
    </ColumnPopover>
  );
}

/** The format that a column has now, as one for all. */
function ownFormat(formats: Formats, path: string, isTimed: boolean): ColumnFormat {
  return isTimed ? { time: timeFormat(formats, path) } : { number: numberFormat(formats, path) };
}

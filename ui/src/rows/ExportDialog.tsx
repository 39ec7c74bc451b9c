import { Button, Checkbox, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { Choice, type ChoiceProps } from "../controls/Choice";
import { count, plural } from "../controls/format";
import { type ExportChoice, FORMATS, SEPARATORS } from "./exportOptions";

interface Props {
  choice: ExportChoice;
  change: (choice: ExportChoice) => void;
  /** The zone in which the window shows dates. */
  zone: string;
  /** What the button of the window is called: a part is never exported as the whole. */
  name: string;
  rows: { shown: number; all: number; narrowed: boolean };
  /** Null if there is no choice of columns. */
  columns: { shown: number; all: number } | null;
  /** Whether the rows are documents, which JSON lines can have whole. */
  areDocuments: boolean;
  start: () => void;
  close: () => void;
}

/** What a file contains, before it is written. */
export function exportName(partial: boolean, filtered: boolean): string {
  const parts = [...(partial ? ["partial"] : []), ...(filtered ? ["filtered"] : [])];
  return ["Export", ...(parts.length > 0 ? [parts.join(", ")] : [])].join(" ");
}

const DECIMALS = [
  { id: "point", label: "Point: 1.5" },
  { id: "comma", label: "Comma: 1,5" },
] as const;

/** Asks how the rows are to be written. The choice is remembered. */
export function ExportDialog(props: Props) {
  const { choice, change, name, rows, columns, areDocuments, start, close } = props;
  const set = (part: Partial<ExportChoice>) => change({ ...choice, ...part });
  const format = FORMATS.find((one) => one.format === choice.format) ?? FORMATS[0];
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog settings-dialog" data-testid="export-dialog">
          <Heading slot="title" className="dialog-title">
            {name}
          </Heading>
          <div className="settings-body">
            <Labelled
              label="Format"
              value={choice.format}
              options={FORMATS.map(({ format, name }) => ({ id: format, label: name }))}
              testId="export-format"
              change={(format) => set({ format })}
            />
            <p className="faint" data-testid="export-means">
              {format?.means}
            </p>
            {rows.narrowed && (
              <Labelled
                label="Rows"
                value={choice.shownRows ? "shown" : "all"}
                options={[
                  { id: "shown", label: `What is shown: ${plural(rows.shown, "row")}` },
                  { id: "all", label: `All ${plural(rows.all, "row")}` },
                ]}
                testId="export-which-rows"
                change={(which) => set({ shownRows: which === "shown" })}
              />
            )}
            {columns !== null && (
              <Labelled
                label="Columns"
                value={choice.shownColumns ? "shown" : "all"}
                options={[
                  {
                    id: "all",
                    label: choice.format === "jsonl" && areDocuments ? "Whole documents" : `All columns`,
                  },
                  { id: "shown", label: `The ${count(columns.shown)} shown of ${count(columns.all)}` },
                ]}
                testId="export-which-columns"
                change={(which) => set({ shownColumns: which === "shown" })}
              />
            )}
            {choice.format === "csv" && <CsvFields choice={choice} set={set} />}
            {(choice.format === "csv" || choice.format === "xlsx") && (
              <ZoneField zone={props.zone} choice={choice} set={set} />
            )}
            <Tick
              testId="export-manifest"
              label="Write a manifest beside the file: query, days, fetch times, SHA-256"
              value={choice.manifest}
              change={(manifest) => set({ manifest })}
            />
          </div>
          <div className="buttons">
            <Button className="button quiet" onPress={close}>
              Cancel
            </Button>
            <Button className="button primary" onPress={start} autoFocus data-testid="export-start">
              {name}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface FieldProps {
  choice: ExportChoice;
  set: (part: Partial<ExportChoice>) => void;
}

function CsvFields({ choice, set }: FieldProps) {
  return (
    <>
      <Labelled
        label="Separator"
        value={choice.separator}
        options={SEPARATORS.map(({ separator, name }) => ({ id: separator, label: name }))}
        testId="export-separator"
        change={(separator) => set({ separator })}
      />
      <Labelled
        label="Decimal sign"
        value={choice.decimal_comma ? "comma" : "point"}
        options={DECIMALS}
        testId="export-decimals"
        change={(sign) => set({ decimal_comma: sign === "comma" })}
      />
      <Tick
        testId="export-mark"
        label="Byte order mark, by which some spreadsheets recognise UTF-8"
        value={choice.byte_order_mark}
        change={(on) => set({ byte_order_mark: on })}
      />
      <Tick
        testId="spreadsheet-safe"
        label="Safe for spreadsheets: an apostrophe before texts that look like formulas"
        value={choice.spreadsheet_safe}
        change={(on) => set({ spreadsheet_safe: on })}
      />
    </>
  );
}

function ZoneField({ zone, choice, set }: FieldProps & { zone: string }) {
  // A zone that was chosen while the window showed another one stays chosen.
  const zones = [zone, choice.zone].filter((name): name is string => name !== null && name !== "UTC");
  const options = ["UTC", ...new Set(zones)].map((name) => ({ id: name, label: name }));
  if (options.length === 1) return null;
  return (
    <Labelled
      label="Zone of dates"
      value={choice.zone ?? "UTC"}
      options={options}
      testId="export-zone"
      change={(name) => set({ zone: name === "UTC" ? null : name })}
    />
  );
}

/** A choice beside what it is called. */
function Labelled<T extends string>(props: ChoiceProps<T>) {
  return (
    <div className="export-line">
      <span className="field-label">{props.label}</span>
      <Choice {...props} />
    </div>
  );
}

interface TickProps {
  testId: string;
  label: string;
  value: boolean;
  change: (on: boolean) => void;
}

function Tick({ testId, label, value, change }: TickProps) {
  return (
    <Checkbox className="checkbox" data-testid={testId} isSelected={value} onChange={change}>
      <span className="checkbox-box" aria-hidden="true" />
      <span className="checkbox-text">{label}</span>
    </Checkbox>
  );
}

import { useState } from "react";
import { Button, ListBox, ListBoxItem, ToggleButton, ToggleButtonGroup } from "react-aria-components";

import type { Trade, TradeDocument } from "../backend";
import { CopyButton } from "../controls/CopyButton";
import { cutText, moment, plural } from "../controls/format";
import { useRowSeeker } from "../rows/soughtRow";
import { contentText, counterpart, gapText, kindText, lateText, timeText } from "./tradeText";

/** How many changed fields are shown, and the length to which a value is cut. */
const FIELDS = 40;
const MAX_VALUE = 300;

interface Props {
  trade: Trade;
  zone: string;
  /** The cached query that has it; null if it was read at the source. */
  signature: string | null;
  /** Called before the row of a document is shown. */
  leave?: () => void;
}

/** A trade with its messages on a time line, what changed from one to the next, and one of the documents. */
export function TradeView({ trade, zone, signature, leave }: Props) {
  const { documents } = trade;
  const { seek } = useRowSeeker();
  const [chosen, choose] = useState(trade.here ?? 0);
  const place = Math.min(chosen, documents.length - 1);
  const document = documents[place];
  const other = counterpart(trade, place);
  return (
    <div
      className="trade-view"
      onKeyDownCapture={(event) => {
        if (event.key !== "Backspace" || other === null) return;
        event.preventDefault();
        choose(other);
      }}
      data-testid="trade-view"
    >
      <p className="trade-head">
        <strong>{trade.trade}</strong> <span className="faint">{contentText(trade)}</span>
      </p>
      <ListBox
        className="trade-line"
        aria-label={`Documents of ${trade.trade} by time`}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[place]}
        onSelectionChange={(keys) => {
          const [key] = keys === "all" ? [] : [...keys];
          if (key !== undefined) choose(Number(key));
        }}
      >
        {documents.map((document, at) => (
          <ListBoxItem
            key={at}
            id={at}
            className="trade-item"
            textValue={[kindText(trade, at), timeText(document, zone)].join(", ")}
            data-role={document.role}
            data-cancel={document.is_cancel || undefined}
            data-testid="trade-item"
          >
            <Line trade={trade} document={document} at={at} zone={zone} />
          </ListBoxItem>
        ))}
      </ListBox>
      {document !== undefined && (
        <Document
          key={place}
          trade={trade}
          document={document}
          other={other}
          choose={choose}
          zone={zone}
          showRow={
            signature === null
              ? null
              : () => {
                  leave?.();
                  const { role, id, day } = document;
                  seek({ signature, role, id, trade: trade.trade, day });
                }
          }
        />
      )}
    </div>
  );
}

interface LineProps {
  trade: Trade;
  document: TradeDocument;
  at: number;
  zone: string;
}

function Line({ trade, document, at, zone }: LineProps) {
  const [gap, late] = [gapText(document), lateText(document)];
  return (
    <>
      {gap !== null && (
        <span className="trade-gap faint" data-longest={document.is_longest_gap || undefined}>
          {gap}
        </span>
      )}
      <span className="trade-what">{kindText(trade, at)}</span>{" "}
      <span className="num">{timeText(document, zone)}</span>
      {document.status !== null && <span className="trade-status"> {document.status}</span>}
      {document.changes.length > 0 && (
        <span className="faint"> {plural(document.changes.length, "field")} changed</span>
      )}
      {late !== null && <span className="trade-late"> late: {late}</span>}
    </>
  );
}

interface DocumentProps {
  trade: Trade;
  document: TradeDocument;
  /** Where the other kind of document is. */
  other: number | null;
  choose: (place: number) => void;
  zone: string;
  /** Shows its row; null if it is not in the cache. */
  showRow: (() => void) | null;
}

function Document({ trade, document, other, choose, zone, showRow }: DocumentProps) {
  const [form, setForm] = useState<"relaxed" | "canonical">("relaxed");
  const isMessage = document.role === "downstream";
  const fields = document.changes.slice(0, FIELDS);
  const rest = document.changes.length - fields.length;
  return (
    <section className="trade-document" aria-label="Document">
      <div className="drawer-tools">
        <ToggleButtonGroup
          className="segmented"
          aria-label="Types in the document"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[form]}
          onSelectionChange={(keys) => setForm(keys.has("canonical") ? "canonical" : "relaxed")}
        >
          <ToggleButton className="segment-button" id="relaxed">
            Relaxed
          </ToggleButton>
          <ToggleButton className="segment-button" id="canonical">
            Canonical
          </ToggleButton>
        </ToggleButtonGroup>
        {other !== null && (
          <Button className="button" onPress={() => choose(other)} data-testid="trade-other">
            {isMessage ? "Go to the trade" : "Go to its messages"}
          </Button>
        )}
        {showRow !== null && (
          <Button className="button" onPress={showRow} data-testid="trade-show-row">
            Show in the rows
          </Button>
        )}
        <span className="spacer" />
        <CopyButton text={document[form]} />
      </div>
      {fields.length > 0 && (
        <table className="change-fields" data-testid="trade-changes">
          <caption className="trade-caption">
            Changed since {document.previous === null ? "before" : kindText(trade, document.previous)}
          </caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row">{path}</th>
                <td className="change-before">{before === null ? "no field" : cutText(before, MAX_VALUE)}</td>
                <td className="change-after">{after === null ? "no field" : cutText(after, MAX_VALUE)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rest > 0 && <p className="faint">{plural(rest, "more field")} changed.</p>}
      <pre className="code-block" tabIndex={0} data-testid="trade-text">
        {document[form]}
      </pre>
      <p className="faint drawer-foot num">
        {document.day !== null && `Day ${document.day}. `}
        {document.fetched === null
          ? "Read at the source just now."
          : `Fetched ${moment(document.fetched, zone)}.`}
      </p>
    </section>
  );
}

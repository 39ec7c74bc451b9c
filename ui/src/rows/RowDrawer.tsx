import { useEffect, useRef, useState } from "react";
import { Button, ToggleButton, ToggleButtonGroup } from "react-aria-components";

import { type Failure, type RowDetail, type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { CopyButton } from "../controls/CopyButton";
import { FailureNote } from "../controls/FailureNote";
import { count, moment } from "../controls/format";
import { Icon } from "../controls/icons";
import { Splitter } from "../controls/Splitter";
import { RowTrade } from "../trades/RowTrade";
import type { Detail } from "./useDetail";

interface Props {
  viewKey: ViewKey;
  /** The rows of the grid and their order. */
  rows: RowQuery;
  position: number;
  /** Identifies the rows and their order. */
  identity: string;
  /** Changes if the rows may have changed; then the document is read again. */
  stamp: string;
  /** The state of the file that the rows were read from. */
  generation: number;
  /** Called if the file has changed since: the row may have a different position now. */
  outdated: () => void;
  zone: string;
  /** What is shown, where and how large. */
  layout: Detail;
  close: () => void;
}

/** The document that was read, and of which row. */
interface Read {
  of: string;
  detail: RowDetail | null;
  failure: Failure | null;
}

/** Moving through rows with the drawer open reads a row only after a pause of this length. */
const PAUSE_MS = 90;

/** The document of one row, as MongoDB held it. */
export function RowDrawer({
  viewKey,
  rows,
  position,
  identity,
  stamp,
  generation,
  outdated,
  zone,
  layout,
  close,
}: Props) {
  const backend = useBackend();
  const [read, setRead] = useState<Read | null>(null);
  const { form, setForm, place, setPlace, size } = layout;
  const closeButton = useRef<HTMLButtonElement>(null);

  const of = `${identity}|${position}`;
  // A document is never shown under the number of a different row.
  const detail = read?.of === of ? read.detail : null;
  const failure = read?.of === of ? read.failure : null;

  useEffect(() => {
    let live = true;
    const timer = setTimeout(() => {
      backend.rowDetail(viewKey, rows, position).then(
        (found) => {
          if (!live) return;
          if (found.generation === generation) setRead({ of, detail: found, failure: null });
          else outdated();
        },
        (error: unknown) => live && setRead({ of, detail: null, failure: toFailure(error) }),
      );
    }, PAUSE_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [backend, viewKey, rows, position, of, stamp, generation, outdated]);

  return (
    <aside
      className="drawer"
      aria-label="Row details"
      data-place={place}
      style={{ flexBasis: size.pixels }}
      data-region="detail"
      data-testid="row-detail"
    >
      <Splitter
        label="Size of the row details"
        side={place === "aside" ? "left" : "top"}
        size={size.pixels}
        least={size.least}
        most={size.most}
        resize={size.resize}
        reset={size.reset}
        testId="detail-edge"
      />
      <header className="drawer-head">
        <strong className="num">Row {count(position + 1)}</strong>
        {detail && (
          <span
            className="faint num"
            title={detail.fetched === null ? "" : `Fetched ${moment(detail.fetched, zone)}`}
          >
            day {detail.day}
          </span>
        )}
        <span className="spacer" />
        <Button
          className="icon-button"
          aria-label={
            place === "aside" ? "Show the row details below the rows" : "Show the row details beside the rows"
          }
          onPress={() => setPlace(place === "aside" ? "below" : "aside")}
          data-testid="detail-place"
        >
          <Icon name={place === "aside" ? "below" : "aside"} />
        </Button>
        <Button ref={closeButton} className="icon-button" aria-label="Close the row details" onPress={close}>
          <Icon name="close" />
        </Button>
      </header>
      <div className="drawer-tools">
        <ToggleButtonGroup
          className="segmented"
          aria-label="What is shown of the row"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[form]}
          onSelectionChange={(keys) =>
            setForm(keys.has("trade") ? "trade" : keys.has("canonical") ? "canonical" : "relaxed")
          }
        >
          <ToggleButton className="segment-button" id="relaxed">
            Relaxed
          </ToggleButton>
          <ToggleButton className="segment-button" id="canonical" data-testid="detail-canonical">
            Canonical
          </ToggleButton>
          <ToggleButton className="segment-button" id="trade" data-testid="detail-trade">
            Trade
          </ToggleButton>
        </ToggleButtonGroup>
        <span className="spacer" />
        {form !== "trade" && <CopyButton text={detail?.[form] ?? ""} />}
      </div>
      {failure && <FailureNote failure={failure} />}
      {form === "trade" ? (
        <RowTrade viewKey={viewKey} rows={rows} position={position} stamp={stamp} zone={zone} />
      ) : (
        <pre className="code-block drawer-text" tabIndex={0} data-testid="row-detail-text">
          {detail?.[form] ?? ""}
        </pre>
      )}
      {form !== "trade" && detail?.fetched != null && (
        <p className="faint drawer-foot num">Fetched {moment(detail.fetched, zone)}</p>
      )}
    </aside>
  );
}

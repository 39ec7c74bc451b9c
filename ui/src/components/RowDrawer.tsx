import { useEffect, useRef, useState } from "react";
import { Button, ToggleButton, ToggleButtonGroup } from "react-aria-components";

import { type Failure, type Role, type RowDetail, type Sort, toFailure, type ViewKey } from "../backend";
import { count, moment } from "../logic/format";
import { useBackend } from "../state/backendContext";
import { CopyButton } from "./CopyButton";
import { FailureNote } from "./FailureNote";
import { Icon } from "./icons";

interface Props {
  viewKey: ViewKey;
  role: Role;
  sort: Sort | null;
  position: number;
  /** Of which rows it is one, in which order. */
  identity: string;
  /** Changes when the rows behind may have changed; then the document is read again. */
  stamp: string;
  /** The state of the file that the rows were read from. */
  generation: number;
  /** Told when the file has gone on: the row may stand elsewhere now. */
  outdated: () => void;
  zone: string;
  close: () => void;
}

/** What was read, and of which row. */
interface Read {
  of: string;
  detail: RowDetail | null;
  failure: Failure | null;
}

/** While one walks through rows with the drawer open, a row is read when the walk pauses. */
const PAUSE_MS = 90;

/** One row as MongoDB held it. */
export function RowDrawer({
  viewKey,
  role,
  sort,
  position,
  identity,
  stamp,
  generation,
  outdated,
  zone,
  close,
}: Props) {
  const backend = useBackend();
  const [read, setRead] = useState<Read | null>(null);
  const [form, setForm] = useState<"relaxed" | "canonical">("relaxed");
  const closeButton = useRef<HTMLButtonElement>(null);

  const of = `${identity}|${position}`;
  // A document never stands under the number of another row.
  const detail = read?.of === of ? read.detail : null;
  const failure = read?.of === of ? read.failure : null;

  useEffect(() => {
    let live = true;
    const timer = setTimeout(() => {
      backend.rowDetail(viewKey, role, sort, position).then(
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
  }, [backend, viewKey, role, sort, position, of, stamp, generation, outdated]);

  return (
    <aside className="drawer" aria-label="Row details" data-region="detail" data-testid="row-detail">
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
        <Button ref={closeButton} className="icon-button" aria-label="Close the row details" onPress={close}>
          <Icon name="close" />
        </Button>
      </header>
      <div className="drawer-tools">
        <ToggleButtonGroup
          className="segmented"
          aria-label="Document format"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[form]}
          onSelectionChange={(keys) => setForm(keys.has("canonical") ? "canonical" : "relaxed")}
        >
          <ToggleButton className="segment-button" id="relaxed">
            Relaxed
          </ToggleButton>
          <ToggleButton className="segment-button" id="canonical" data-testid="detail-canonical">
            Canonical
          </ToggleButton>
        </ToggleButtonGroup>
        <span className="spacer" />
        <CopyButton text={detail?.[form] ?? ""} />
      </div>
      {failure && <FailureNote failure={failure} />}
      <pre className="code-block drawer-text" tabIndex={0} data-testid="row-detail-text">
        {detail?.[form] ?? ""}
      </pre>
      {detail?.fetched != null && (
        <p className="faint drawer-foot num">Fetched {moment(detail.fetched, zone)}</p>
      )}
    </aside>
  );
}

import { useState } from "react";
import {
  Button,
  Dialog,
  DialogTrigger,
  Heading,
  Popover,
  ToggleButton,
  Tooltip,
  TooltipTrigger,
} from "react-aria-components";

import { type CachedQuery, type Failure, toFailure, type ViewKey, type WindowView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { ago, bytes, cutText, moment, plural } from "../controls/format";
import { Icon } from "../controls/icons";
import { useNow } from "../controls/useNow";
import { cachedName, HELD_ROWS_HINT, heldRowsText, shortSignature } from "./cachedText";

interface Props {
  query: CachedQuery;
  zone: string;
  current: boolean;
  /** Another query has the same source and filters and differs in the mapping. */
  alike: boolean;
  open: () => Promise<void>;
  forget: () => Promise<void>;
  pin: (pinned: boolean) => Promise<void>;
  showPipeline: (key: ViewKey) => void;
}

/** A hint longer than this would cover the window. */
const MAX_HINT = 800;

/** The list cuts a longer mapping. */
const MAX_MAPPING = 160;

/** "2025-01-01 to 2025-01-31", and how many periods more. */
export function heldText(held: readonly WindowView[]): string {
  const text = (window: WindowView) =>
    window.from === window.to ? window.from : `${window.from} to ${window.to}`;
  if (held.length === 0) return "no days";
  const first = held.slice(0, 2).map(text).join(", ");
  return held.length > 2 ? `${first} and ${plural(held.length - 2, "more period")}` : first;
}

export function CachedItem({ query, zone, current, alike, open, forget, pin, showPipeline }: Props) {
  const now = useNow();
  const [failure, setFailure] = useState<Failure | null>(null);
  const oldest = query.oldest_fetch;
  const used = query.last_used;
  const name = cachedName(query);
  const [first, last] = [query.held[0], query.held.at(-1)];
  return (
    <li
      className="cached-item"
      data-current={current || undefined}
      data-testid="cached-item"
      data-signature={query.signature}
    >
      <Button
        className="cached-open"
        onPress={() => {
          setFailure(null);
          open().catch((error: unknown) => setFailure(toFailure(error)));
        }}
        isDisabled={query.failure !== null || query.held.length === 0}
        data-testid="cached-open"
      >
        <span className="cached-filters" title={cutText(query.filters, MAX_HINT)}>
          {name}
        </span>
        {query.failure !== null ? (
          <span className="faint num">{bytes(query.bytes)}</span>
        ) : (
          <>
            <span className="faint cached-source" title={query.source} data-testid="cached-source">
              {query.source}
            </span>
            {alike && (
              <span
                className="cached-mapping"
                title={`${cutText(query.mapping, MAX_HINT)} (query ${shortSignature(query)})`}
                data-testid="cached-mapping"
              >
                {cutText(query.mapping, MAX_MAPPING)}
              </span>
            )}
            <span className="cached-days num">{heldText(query.held)}</span>
            <span className="faint num">
              {plural(query.days, "day")}
              {query.open_days > 0 && `, ${query.open_days} open`} · {bytes(query.bytes)}
              {query.pinned && " · pinned"}
            </span>
            <span className="faint num" title={HELD_ROWS_HINT}>
              {heldRowsText(query)}
            </span>
          </>
        )}
        <span className="faint">
          {oldest !== null && <span title={moment(oldest, zone)}>oldest fetch {ago(oldest, now)}</span>}
          {oldest !== null && used !== null && " · "}
          {used !== null && (
            <span title={moment(used, zone)} data-testid="cached-last-used">
              last used {ago(used, now)}
            </span>
          )}
        </span>
      </Button>
      {first !== undefined && last !== undefined && (
        <TooltipTrigger delay={600}>
          <Button
            className="icon-button cached-pipeline"
            aria-label={`Show the MongoDB pipeline of ${name}`}
            onPress={() => showPipeline({ signature: query.signature, from: first.from, to: last.to })}
            data-testid="cached-pipeline"
          >
            <Icon name="code" />
          </Button>
          <Tooltip className="tooltip" offset={6}>
            Show the MongoDB pipeline
          </Tooltip>
        </TooltipTrigger>
      )}
      <TooltipTrigger delay={600}>
        <ToggleButton
          className="icon-button cached-pin"
          aria-label={`Pin ${name}`}
          isSelected={query.pinned}
          onChange={(pinned) => {
            setFailure(null);
            pin(pinned).catch((error: unknown) => setFailure(toFailure(error)));
          }}
          data-testid="cached-pin"
        >
          <Icon name="pin" />
        </ToggleButton>
        <Tooltip className="tooltip" offset={6}>
          Pin: never remove this query to free up space
        </Tooltip>
      </TooltipTrigger>
      <DialogTrigger>
        <Button
          className="icon-button cached-forget"
          aria-label={`Forget ${name}`}
          data-testid="cached-forget"
        >
          <Icon name="trash" />
        </Button>
        <Popover className="popover" placement="right top">
          <Dialog className="popover-body">
            {({ close }) => (
              <>
                <Heading slot="title" className="popover-title">
                  Forget this query?
                </Heading>
                <p>
                  {query.failure === null
                    ? `This deletes ${plural(query.input_rows, "trade")} and ${plural(query.downstream_rows, "message")} (${plural(query.days, "day")}) from this computer.`
                    : `This deletes the whole file (${bytes(query.bytes)}) from this computer. It cannot be read at the moment.`}{" "}
                  {query.pinned && "This query is pinned. "}MongoDB is not affected.
                </p>
                <div className="buttons">
                  <Button className="button" onPress={close} autoFocus>
                    Cancel
                  </Button>
                  <Button
                    className="button danger"
                    data-testid="cached-forget-confirm"
                    onPress={() => {
                      close();
                      forget().catch((error: unknown) => setFailure(toFailure(error)));
                    }}
                  >
                    Forget
                  </Button>
                </div>
              </>
            )}
          </Dialog>
        </Popover>
      </DialogTrigger>
      {query.failure && <FailureNote failure={query.failure} />}
      {failure && <FailureNote failure={failure} testId="cached-failure" dismiss={() => setFailure(null)} />}
    </li>
  );
}

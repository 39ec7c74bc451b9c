import { useState } from "react";
import { Button, ToggleButton, Tooltip, TooltipTrigger } from "react-aria-components";

import { type CachedQuery, type Failure, toFailure, type ViewKey, type WindowView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { ago, bytes, cutText, moment, plural } from "../controls/format";
import { useCommandMenu } from "../controls/CommandMenu";
import { Icon } from "../controls/icons";
import { useCopy } from "../controls/useCopy";
import { useNow } from "../controls/useNow";
import { ItemName } from "./ItemName";
import { cachedName, HELD_ROWS_HINT, heldRowsText, shortSignature } from "./cachedText";

interface Props {
  query: CachedQuery;
  zone: string;
  current: boolean;
  /** Another query has the same source and filters and differs in the mapping. */
  alike: boolean;
  open: () => Promise<void>;
  /** The name that it was given; undefined if it has none. */
  given: string | undefined;
  rename: (name: string) => void;
  forget: () => void;
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

/** One cached query, with what can be done with it. */
export function CachedItem(props: Props) {
  const { query, zone, current, alike, given, rename, open, forget, pin, showPipeline } = props;
  const copy = useCopy();
  const [isNaming, setNaming] = useState(false);
  const now = useNow();
  const [failure, setFailure] = useState<Failure | null>(null);
  const oldest = query.oldest_fetch;
  const used = query.last_used;
  const usual = cachedName(query);
  const name = given ?? usual;
  const [first, last] = [query.held[0], query.held.at(-1)];
  const canOpen = query.failure === null && query.held.length > 0;
  const attempt = (act: Promise<void>) => {
    setFailure(null);
    act.catch((error: unknown) => setFailure(toFailure(error)));
  };
  const pipeline = () => {
    if (first === undefined || last === undefined) return;
    showPipeline({ signature: query.signature, from: first.from, to: last.to });
  };
  const { menu, ...opens } = useCommandMenu({
    place: "cached",
    label: name,
    testId: "cached-menu",
    commands: [
      "open_cached",
      "rename",
      query.pinned ? "unpin" : "pin",
      "show_pipeline",
      "copy_filters",
      "forget",
    ],
    disabled: canOpen ? [] : ["open_cached", "show_pipeline", "copy_filters"],
    perform: (command) => {
      if (command === "open_cached") attempt(open());
      else if (command === "rename") setNaming(true);
      else if (command === "pin" || command === "unpin") attempt(pin(command === "pin"));
      else if (command === "show_pipeline") pipeline();
      else if (command === "copy_filters") copy(query.filters);
      else forget();
    },
  });
  return (
    <li
      className="cached-item"
      data-current={current || undefined}
      data-testid="cached-item"
      data-signature={query.signature}
      {...opens}
    >
      {isNaming && (
        <ItemName name={given ?? ""} usual={usual} rename={rename} close={() => setNaming(false)} />
      )}
      <Button
        className="cached-open"
        onPress={() => attempt(open())}
        isDisabled={!canOpen}
        data-testid="cached-open"
      >
        <span className="cached-filters" title={cutText(query.filters, MAX_HINT)}>
          {name}
        </span>
        {given !== undefined && query.failure === null && (
          <span className="faint cached-source" data-testid="cached-usual">
            {usual}
          </span>
        )}
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
            onPress={pipeline}
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
          onChange={(pinned) => attempt(pin(pinned))}
          data-testid="cached-pin"
        >
          <Icon name="pin" />
        </ToggleButton>
        <Tooltip className="tooltip" offset={6}>
          Pin: never remove this query to free up space
        </Tooltip>
      </TooltipTrigger>
      <TooltipTrigger delay={600}>
        <Button
          className="icon-button cached-forget"
          aria-label={`Forget ${name}`}
          onPress={forget}
          data-testid="cached-forget"
        >
          <Icon name="trash" />
        </Button>
        <Tooltip className="tooltip" offset={6}>
          Forget: delete it from this computer. It can be undone for some seconds.
        </Tooltip>
      </TooltipTrigger>
      {menu}
      {query.failure && <FailureNote failure={query.failure} />}
      {failure && <FailureNote failure={failure} testId="cached-failure" dismiss={() => setFailure(null)} />}
    </li>
  );
}

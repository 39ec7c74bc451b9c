import { useEffect, useRef, useState } from "react";
import {
  Button,
  Dialog,
  Heading,
  Label,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  TextArea,
  TextField,
} from "react-aria-components";

import { type Failure, type FoundTrades, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { plural } from "../controls/format";
import { asked } from "../rows/asked";
import { contentText, missingIds, placeText } from "./tradeText";
import { TradeView } from "./TradeView";

export interface FindIn {
  /** The answer that is open. */
  open: ViewKey | null;
  /** Why the source is not asked; null if it can be. */
  away: string | null;
  zone: string;
}

interface Props {
  findIn: FindIn;
  close: () => void;
}

/** How many ids that are not found are listed. */
const LISTED = 50;

/** One of the two searches. */
interface Search {
  result: FoundTrades | null;
  failure: Failure | null;
  isBusy: boolean;
}

const IDLE: Search = { result: null, failure: null, isBusy: false };
const BUSY: Search = { ...IDLE, isBusy: true };

/** Finds trades by their ids: in the cache at once, and then at the source. */
export function FindTradeDialog({ findIn, close }: Props) {
  const { open, away, zone } = findIn;
  const backend = useBackend();
  const [text, setText] = useState("");
  const [cache, setCache] = useState(IDLE);
  const [source, setSource] = useState(IDLE);
  const [chosen, choose] = useState<number | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const stop = () => {
    running.current?.abort();
    running.current = null;
    const stopped = (held: Search) => (held.isBusy ? IDLE : held);
    setCache(stopped);
    setSource(stopped);
  };
  const find = () => {
    stop();
    const now = new AbortController();
    running.current = now;
    choose(null);
    const run = (set: (search: Search) => void, ask: (id: number) => Promise<FoundTrades>) => {
      set(BUSY);
      asked(backend, now.signal, ask).then(
        (result) => now.signal.aborted || set({ ...IDLE, result }),
        (error: unknown) => now.signal.aborted || set({ ...IDLE, failure: toFailure(error) }),
      );
    };
    run(setCache, (id) => backend.findCachedTrades(text, open, id));
    if (away === null) run(setSource, (id) => backend.findSourceTrades(text, id));
  };
  const isBusy = cache.isBusy || source.isBusy;
  const found = [...(cache.result?.found ?? []), ...(source.result?.found ?? [])];
  const opened = chosen === null ? undefined : found[chosen];
  const isDone = !isBusy && (cache.result !== null || source.result !== null);
  const missing = isDone ? missingIds(cache.result, source.result) : [];
  const notes = [...new Set([...(cache.result?.notes ?? []), ...(source.result?.notes ?? [])])];
  // Both say the same of a list that cannot be used.
  const failures = [cache.failure, source.failure].filter(
    (failure, at, all) => failure !== null && all.findIndex((one) => one?.message === failure.message) === at,
  );
  const state = [
    ...(cache.isBusy ? ["Searching the cache"] : []),
    ...(source.isBusy ? ["Asking the source"] : []),
    ...(isDone ? [`${plural(found.length, "place")} found`] : []),
    ...(isDone && away !== null ? [`The source was not asked: ${away}`] : []),
  ];
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(isOpen) => !isOpen && close()}>
      <Modal className="modal find-trade-modal">
        <Dialog className="dialog" data-testid="find-trade-dialog">
          <Heading slot="title" className="dialog-title">
            Find a trade
          </Heading>
          <TextField className="find-trade-field" value={text} onChange={setText} autoFocus>
            <Label>Trade ids, one a line or separated by commas</Label>
            <TextArea
              className="input"
              rows={3}
              spellCheck={false}
              onKeyDown={(event) => {
                // A line more is typed with Shift; what is pasted may have many.
                if (event.key !== "Enter" || event.shiftKey) return;
                event.preventDefault();
                find();
              }}
              data-testid="find-trade-ids"
            />
          </TextField>
          <div className="drawer-tools">
            <Button
              className="button primary"
              isDisabled={text.trim() === ""}
              onPress={find}
              data-testid="find-trade-button"
            >
              Find
            </Button>
            {isBusy && (
              <Button className="button" onPress={stop} data-testid="find-trade-cancel">
                Cancel
              </Button>
            )}
            <span role="status" data-testid="find-trade-state">
              {state.join(". ")}
            </span>
          </div>
          {failures.map((failure) => failure && <FailureNote key={failure.message} failure={failure} />)}
          {notes.map((note) => (
            <p key={note} className="note">
              {note}
            </p>
          ))}
          {missing.length > 0 && (
            <p className="note" data-testid="find-trade-missing">
              Not found: {missing.slice(0, LISTED).join(", ")}
              {missing.length > LISTED && `, and ${plural(missing.length - LISTED, "more id")}`}
            </p>
          )}
          {found.length > 0 && (
            <ListBox
              className="found-trades"
              aria-label="Trades found"
              selectionMode="single"
              // Escape closes the dialog.
              escapeKeyBehavior="none"
              selectedKeys={chosen === null ? [] : [chosen]}
              onSelectionChange={(keys) => {
                const [key] = keys === "all" ? [] : [...keys];
                choose(key === undefined ? null : Number(key));
              }}
            >
              {found.map(({ trade, place }, at) => (
                <ListBoxItem
                  key={at}
                  id={at}
                  className="trade-item"
                  textValue={`${trade.trade}, ${placeText(place)}`}
                  data-testid="found-trade"
                >
                  <strong>{trade.trade}</strong> {contentText(trade)}
                  <span className="faint"> {placeText(place)}</span>
                </ListBoxItem>
              ))}
            </ListBox>
          )}
          {opened && (
            <TradeView
              key={chosen}
              trade={opened.trade}
              zone={zone}
              signature={opened.place.kind === "cache" ? opened.place.signature : null}
              leave={close}
            />
          )}
          <div className="buttons">
            <Button className="button" onPress={close}>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

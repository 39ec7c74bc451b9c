import { useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";

import { type Failure, type FoundText, type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { count } from "../controls/format";
import { Icon } from "../controls/icons";
import { asked } from "./asked";

interface Props {
  viewKey: ViewKey;
  /** The rows of the grid and their order: they are searched, and not narrowed. */
  rows: RowQuery;
  length: number;
  /** The state of the file that the rows were read from. */
  generation: number;
  /** The active row; null if there is none. */
  here: () => number | null;
  goTo: (row: number) => void;
  /** The rows have changed since: they have to be read again. */
  outdated: () => void;
  /** Grows when the field is asked for again. */
  asks: number;
  close: () => void;
}

interface Result {
  /** The text in the rows that were searched. */
  of: string;
  found: FoundText;
  /** The search has gone on at the other end. */
  around: boolean;
}

function resultText({ found, around }: Result, forwards: boolean): string {
  if (found.number === null) return "No row has this text";
  const place = `${count(found.number)} of ${count(found.total)}`;
  return around ? `${place}, on from the ${forwards ? "first" : "last"} row` : place;
}

/** Finds a text in the rows, one after the other. */
export function FindBar({ viewKey, rows, length, generation, here, goTo, outdated, asks, close }: Props) {
  const backend = useBackend();
  const input = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController | null>(null);
  const [text, setText] = useState("");
  const [result, setResult] = useState<Result | null>(null);
  const [forwards, setForwards] = useState(true);
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [asks]);
  useEffect(() => () => running.current?.abort(), []);
  const of = JSON.stringify([viewKey, rows, text]);
  const shown = result?.of === of ? result : null;

  const find = async (onwards: boolean) => {
    running.current?.abort();
    if (text.trim() === "" || length === 0) return;
    const { signal } = (running.current = new AbortController());
    setForwards(onwards);
    setPending(true);
    setFailure(null);
    const ask = (from: number) =>
      asked(backend, signal, (id) => backend.findRow(viewKey, rows, text, from, onwards, id));
    const edge = onwards ? 0 : length - 1;
    // From a row that was found, the search goes on behind it; otherwise the active row is looked at, too.
    const at = here() ?? edge;
    const from = shown?.found.position === at ? at + (onwards ? 1 : -1) : at;
    const isInside = from >= 0 && from < length;
    try {
      let found = await ask(isInside ? from : edge);
      let around = !isInside;
      if (found.position === null && found.total > 0 && !signal.aborted) {
        found = await ask(edge);
        around = true;
      }
      if (signal.aborted) return;
      setPending(false);
      if (found.generation !== generation) {
        outdated();
        return;
      }
      setResult({ of, found, around });
      if (found.position !== null) goTo(found.position);
    } catch (error) {
      if (signal.aborted) return;
      setPending(false);
      setFailure(toFailure(error));
    }
  };

  return (
    <search className="find-bar" data-testid="find-bar">
      <input
        ref={input}
        className="input"
        type="text"
        aria-label="Find in the rows"
        placeholder="Find in the rows"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          running.current?.abort();
          setPending(false);
          setText(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") void find(!event.shiftKey);
          else if (event.key === "Escape") close();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
        data-testid="find-input"
      />
      <Button className="icon-button" aria-label="Find the row before" onPress={() => void find(false)}>
        <Icon name="up" />
      </Button>
      <Button className="icon-button" aria-label="Find the next row" onPress={() => void find(true)}>
        <Icon name="chevron" />
      </Button>
      <span className="num" role="status" data-testid="find-state">
        {pending ? "Searching…" : failure !== null ? failure.message : shown && resultText(shown, forwards)}
      </span>
      <span className="spacer" />
      <Button className="icon-button" aria-label="Close the search" onPress={close}>
        <Icon name="close" />
      </Button>
    </search>
  );
}

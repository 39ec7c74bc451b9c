import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

import {
  type Failure,
  type MappingChange,
  type MappingPart,
  type MappingView,
  toFailure,
} from "../../backend";
import { useBackend } from "../../backend/context";

/** Text is read after a pause in typing of this length. */
const PAUSE_MS = 200;

export interface Mapping {
  /** The parts as they were read last; empty if the text cannot be read. */
  parts: MappingPart[];
  /** The parts before the trader changed any of them: those of a text that was typed or proposed. */
  first: MappingPart[];
  /** Why the mapping cannot be used as it is. */
  problem: Failure | null;
  change: (change: MappingChange) => void;
}

interface Read {
  of: string;
  parts: MappingPart[];
  first: MappingPart[];
  problem: Failure | null;
}

const UNREAD: Read = { of: "", parts: [], first: [], problem: null };

/**
 * The parts of a mapping file, which the engine reads and changes. The text is the truth. `changes` resolves once the
 * changes that were made are in the text.
 */
export function useMapping(
  text: string,
  onChange: (text: string) => void,
  changes: RefObject<Promise<void>>,
): Mapping {
  const backend = useBackend();
  const [read, setRead] = useState<Read | null>(null);
  const latest = useRef(text);
  const report = useRef(onChange);
  const isKnown = read?.of === text;
  const isFirst = read === null;

  useEffect(() => {
    latest.current = text;
    report.current = onChange;
  }, [text, onChange]);
  useEffect(() => {
    if (isKnown) return;
    let live = true;
    const take = (parts: MappingPart[], problem: Failure | null) => {
      // What was typed since is read on its own.
      if (live) setRead({ of: text, parts, first: parts, problem });
    };
    const timer = setTimeout(
      () =>
        void backend.changeMapping(text, { change: "none" }).then(
          (view) => take(view.parts, view.problem),
          (error: unknown) => take([], toFailure(error)),
        ),
      isFirst ? 0 : PAUSE_MS,
    );
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [backend, text, isKnown, isFirst]);

  const change = useCallback(
    (change: MappingChange) => {
      // One after the other: each begins with what the one before has made of the text.
      changes.current = changes.current.then(async () => {
        const base = latest.current;
        let view: MappingView;
        try {
          view = await backend.changeMapping(base, change);
        } catch (error) {
          setRead((held) => held && { ...held, problem: toFailure(error) });
          return;
        }
        // The text has been changed otherwise meanwhile, and that is newer.
        if (latest.current !== base) return;
        latest.current = view.text;
        const { parts, problem } = view;
        setRead((held) => ({ of: view.text, parts, first: held?.first ?? parts, problem }));
        report.current(view.text);
      });
    },
    [backend, changes],
  );

  const { parts, first, problem } = read ?? UNREAD;
  return { parts, first, problem, change };
}

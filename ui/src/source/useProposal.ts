import { useCallback, useEffect, useRef, useState } from "react";

import type { Failure, Proposal } from "../backend";
import { useBackend } from "../backend/context";
import { cancellable } from "./attempts";
import { placeOf } from "./proposed";
import { useAttempt } from "./useAttempt";
import type { Asked } from "./useListing";

export interface Proposing {
  proposal: Proposal | null;
  /** Where the documents of the proposal were read. */
  place: string | null;
  busy: boolean;
  /** Why nothing could be proposed. */
  failure: Failure | null;
  /** Reads documents, instead of those that are being read; `done` gets what they suggest. */
  start: (settle: () => Promise<Asked>, done: (found: Found) => void) => void;
  /** Does the same after a moment, unless it is stopped before. The same `key` is read once in a row. */
  startSoon: (key: string, settle: () => Promise<Asked>, done: (found: Found) => void) => void;
  /** Reads documents for a source that is being connected. Null if nothing can be proposed. */
  wait: (asked: Asked, signal: AbortSignal) => Promise<Found | null>;
  stop: () => void;
}

/** What was proposed, and from which documents. */
export interface Found {
  proposal: Proposal;
  /** The mapping file. */
  mapping: string;
  place: string;
}

/** A field is left by pressing a button, too: if that sends the form, nothing has to be proposed first. */
const SOON_MS = 300;

/** Proposes a mapping from the documents of a source. */
export function useProposal(): Proposing {
  const backend = useBackend();
  const { busy, failure, start: attempt, stop: abort, idle } = useAttempt();
  const [found, setFound] = useState<Found | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // What was read last by itself: a field that is left once more without a change asks for nothing.
  const lastKey = useRef<string | null>(null);
  // Grows with every request and every stop, so that only the last request is followed.
  const requests = useRef(0);

  const stop = useCallback(() => {
    clearTimeout(timer.current);
    requests.current += 1;
    abort();
  }, [abort]);
  useEffect(() => stop, [stop]);

  /** Reads documents, and returns what they suggest. */
  const read = useCallback(
    async ({ draft, secrets }: Asked, signal: AbortSignal) => {
      signal.throwIfAborted();
      const proposal = await cancellable(backend, signal, (id) => backend.proposeMapping(id, draft, secrets));
      // It may have been too late to stop it: what it found is about a different collection.
      signal.throwIfAborted();
      const mapping = JSON.stringify(proposal.mapping, null, 2);
      const found: Found = { proposal, mapping, place: placeOf(draft.profile) };
      setFound(found);
      return found;
    },
    [backend],
  );

  const start = useCallback<Proposing["start"]>(
    (settle, done) => {
      stop();
      lastKey.current = null;
      const mine = requests.current;
      void idle().then(() => {
        if (mine !== requests.current) return;
        attempt(async (signal) => read(await settle(), signal), done);
      });
    },
    [attempt, idle, read, stop],
  );

  const startSoon = useCallback<Proposing["startSoon"]>(
    (key, settle, done) => {
      if (lastKey.current === key) return;
      stop();
      lastKey.current = null;
      timer.current = setTimeout(() => {
        start(settle, done);
        lastKey.current = key;
      }, SOON_MS);
    },
    [start, stop],
  );
  const wait = useCallback<Proposing["wait"]>(
    async (asked, signal) => {
      stop();
      lastKey.current = null;
      try {
        return await read(asked, signal);
      } catch {
        signal.throwIfAborted();
        // Connecting says what is wrong.
        return null;
      }
    },
    [read, stop],
  );
  const proposal = found?.proposal ?? null;
  const place = found?.place ?? null;
  return { proposal, place, busy, failure, start, startSoon, wait, stop };
}

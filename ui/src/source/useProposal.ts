import { useCallback, useEffect, useRef, useState } from "react";

import type { Failure, Proposal } from "../backend";
import { useBackend } from "../backend/context";
import { cancellable } from "./attempts";
import { useAttempt } from "./useAttempt";
import type { Asked } from "./useListing";

export interface Proposing {
  proposal: Proposal | null;
  busy: boolean;
  /** Why nothing could be proposed. */
  failure: Failure | null;
  /** Reads documents, instead of those that are being read; `done` gets the mapping file that they suggest. */
  start: (settle: () => Promise<Asked>, done: (mapping: string) => void) => void;
  /** Does the same after a moment, once per `key`, unless it is stopped before. */
  startSoon: (key: string, settle: () => Promise<Asked>, done: (mapping: string) => void) => void;
  /** Reads documents for a source that is being connected. Null if nothing can be proposed. */
  wait: (asked: Asked, signal: AbortSignal) => Promise<string | null>;
  stop: () => void;
}

/** A field is left by pressing a button, too: if that sends the form, nothing has to be proposed first. */
const SOON_MS = 300;

/** Proposes a mapping from the documents of a source. */
export function useProposal(): Proposing {
  const backend = useBackend();
  const { busy, failure, start: attempt, stop: abort, idle } = useAttempt();
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef(new Set<string>());
  // Grows with every request and every stop, so that only the last request is followed.
  const requests = useRef(0);

  const stop = useCallback(() => {
    clearTimeout(timer.current);
    requests.current += 1;
    abort();
  }, [abort]);
  useEffect(() => stop, [stop]);

  /** Reads documents, and returns the mapping file that they suggest. */
  const read = useCallback(
    async ({ draft, secrets }: Asked, signal: AbortSignal) => {
      signal.throwIfAborted();
      const found = await cancellable(backend, signal, (id) => backend.proposeMapping(id, draft, secrets));
      // It may have been too late to stop it: what it found is about a different collection.
      signal.throwIfAborted();
      setProposal(found);
      return JSON.stringify(found.mapping, null, 2);
    },
    [backend],
  );

  const start = useCallback<Proposing["start"]>(
    (settle, done) => {
      stop();
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
      if (asked.current.has(key)) return;
      stop();
      timer.current = setTimeout(() => {
        asked.current.add(key);
        start(settle, done);
      }, SOON_MS);
    },
    [start, stop],
  );
  const wait = useCallback<Proposing["wait"]>(
    async (asked, signal) => {
      stop();
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
  return { proposal, busy, failure, start, startSoon, wait, stop };
}

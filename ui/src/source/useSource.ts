import { useCallback, useEffect, useRef, useState } from "react";

import { type Connection, type Failure, type SourceProfile, type SourceView, toFailure } from "../backend";
import { useBackend } from "../backend/context";

export interface Source {
  view: SourceView | null;
  failure: Failure | null;
  connection: Connection;
  connect: Connect;
}

/** Connects to a source and makes it the active one. Aborting keeps the previous source, unless it is too late. */
export type Connect = (profile: SourceProfile, password: string | null, signal: AbortSignal) => Promise<void>;

// Unique across reloads of the page too.
let lastConnect = Date.now();

/** How often the backend is asked what day it is: a window may stay open past midnight. */
const TODAY_MS = 60_000;

/** The active source and whether it can be reached. */
export function useSource(): Source {
  const backend = useBackend();
  const [view, setView] = useState<SourceView | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [connection, setConnection] = useState<Connection>({ state: "checking" });
  // While connecting to a different source, a change may be about either of the two.
  const connecting = useRef<{ reported: Connection | null } | null>(null);

  useEffect(() => {
    let live = true;
    // Subscribes before the first request, so that no change is missed in between.
    const stop = backend.onConnection((changed) => {
      if (connecting.current === null) setConnection(changed);
      else connecting.current.reported = changed;
    });
    backend.sourceView().then(
      (first) => {
        if (!live) return;
        setView(first);
        setConnection(first.connection);
      },
      (error: unknown) => live && setFailure(toFailure(error)),
    );
    const timer = setInterval(() => {
      void backend.sourceView().then(
        (now) =>
          live &&
          setView((held) => (held && held.today !== now.today ? { ...held, today: now.today } : held)),
        () => undefined,
      );
    }, TODAY_MS);
    return () => {
      live = false;
      stop();
      clearInterval(timer);
    };
  }, [backend]);

  const connect = useCallback<Connect>(
    async (profile, password, signal) => {
      lastConnect += 1;
      const id = lastConnect;
      const attempt = { reported: null as Connection | null };
      connecting.current = attempt;
      // An attempt that has already ended cannot be cancelled; there is nothing to report.
      const giveUp = () => void backend.cancelConnect(id).catch(() => undefined);
      signal.addEventListener("abort", giveUp);
      try {
        const next = await backend.connect(id, profile, password);
        setView(next);
        setConnection(next.connection);
      } catch (error) {
        if (attempt.reported !== null) setConnection(attempt.reported);
        throw error;
      } finally {
        signal.removeEventListener("abort", giveUp);
        if (connecting.current === attempt) connecting.current = null;
      }
    },
    [backend],
  );

  return { view, failure, connection, connect };
}

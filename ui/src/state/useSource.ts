import { useCallback, useEffect, useRef, useState } from "react";

import { type Connection, type Failure, type SourceProfile, type SourceView, toFailure } from "../backend";
import { useBackend } from "./backendContext";

export interface Source {
  view: SourceView | null;
  failure: Failure | null;
  connection: Connection;
  connect: Connect;
}

/** Takes a source into use. Aborting leaves the one in use, unless it was too late. */
export type Connect = (profile: SourceProfile, password: string | null, signal: AbortSignal) => Promise<void>;

// Unique over reloads of the page too.
let lastConnect = Date.now();

/** How often the source is asked what day it is: a window stays open over midnight. */
const TODAY_MS = 60_000;

/** The source in use and whether it is in reach. */
export function useSource(): Source {
  const backend = useBackend();
  const [view, setView] = useState<SourceView | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [connection, setConnection] = useState<Connection>({ state: "checking" });
  // While another source is being taken into use nobody can tell which of the two a change speaks of.
  const connecting = useRef<{ heard: Connection | null } | null>(null);

  useEffect(() => {
    let live = true;
    // Listening begins before asking, so that no change falls between the two.
    const stop = backend.onConnection((changed) => {
      if (connecting.current === null) setConnection(changed);
      else connecting.current.heard = changed;
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
      const attempt = { heard: null as Connection | null };
      connecting.current = attempt;
      // One that is over already cannot be given up; there is nothing to tell then.
      const giveUp = () => void backend.cancelConnect(id).catch(() => undefined);
      signal.addEventListener("abort", giveUp);
      try {
        const next = await backend.connect(id, profile, password);
        setView(next);
        setConnection(next.connection);
      } catch (error) {
        if (attempt.heard !== null) setConnection(attempt.heard);
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

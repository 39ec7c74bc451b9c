import { useCallback, useEffect, useState } from "react";

import { type Connection, type Failure, type SourceProfile, type SourceView, toFailure } from "../backend";
import { useBackend } from "./backendContext";

export interface Source {
  view: SourceView | null;
  failure: Failure | null;
  connection: Connection;
  connect: (profile: SourceProfile, password: string | null) => Promise<void>;
}

/** How often the source is asked what day it is: a window stays open over midnight. */
const TODAY_MS = 60_000;

/** The source in use and whether it is in reach. */
export function useSource(): Source {
  const backend = useBackend();
  const [view, setView] = useState<SourceView | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [connection, setConnection] = useState<Connection>({ state: "checking" });

  useEffect(() => {
    let live = true;
    // Listening begins before asking, so that no change falls between the two.
    const stop = backend.onConnection((changed) => setConnection(changed));
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

  const connect = useCallback(
    async (profile: SourceProfile, password: string | null) => {
      const next = await backend.connect(profile, password);
      setView(next);
      setConnection(next.connection);
    },
    [backend],
  );

  return { view, failure, connection, connect };
}

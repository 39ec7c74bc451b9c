import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";

import { type Connection, type Failure, type SourceView, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { cancellable } from "./attempts";
import type { Ask } from "./useAttempt";

export interface Source {
  view: SourceView | null;
  failure: Failure | null;
  connection: Connection;
  connect: Connect;
}

/** Connects to a source and makes it the active one. Aborting keeps the previous source, unless it is too late. */
export type Connect = Ask<void>;

/** How often the backend is asked what day it is: a window may stay open past midnight. */
const TODAY_MS = 60_000;

const SOURCE_KEY = ["source"];

const CHECKING: Connection = { state: "checking" };

/** The active source and whether it can be reached. */
export function useSource(): Source {
  const backend = useBackend();
  const client = useQueryClient();
  // While connecting to a different source, a change may be about either of the two.
  const connecting = useRef<{ reported: Connection | null } | null>(null);
  // Kept with the source, so that the window never sees the connection of one source beside the name of another.
  const setConnection = useCallback(
    (connection: Connection) =>
      client.setQueryData<SourceView>(SOURCE_KEY, (held) => held && { ...held, connection }),
    [client],
  );
  useEffect(
    () =>
      backend.onConnection((changed) => {
        if (connecting.current === null) setConnection(changed);
        else connecting.current.reported = changed;
      }),
    [backend, setConnection],
  );
  const { data, error } = useQuery({
    queryKey: SOURCE_KEY,
    queryFn: () => backend.sourceView(),
    staleTime: Infinity,
  });
  // Read separately: only the day is taken from a later answer, which may be about the source that is being connected.
  const today = useQuery({
    queryKey: ["today", data?.profile],
    queryFn: async () => (await backend.sourceView()).today,
    initialData: data?.today,
    enabled: data !== undefined,
    staleTime: Infinity,
    // A source that is connected again begins with the day that it reports.
    gcTime: 0,
    refetchInterval: TODAY_MS,
    refetchIntervalInBackground: true,
  }).data;
  const view = useMemo(
    () => (data === undefined ? null : { ...data, today: today ?? data.today }),
    [data, today],
  );

  const connect = useCallback<Connect>(
    async (profile, password, signal) => {
      const attempt = { reported: null as Connection | null };
      connecting.current = attempt;
      try {
        const ask = (id: number) => backend.connect(id, profile, password);
        client.setQueryData(SOURCE_KEY, await cancellable(backend, signal, ask));
      } catch (error) {
        if (attempt.reported !== null) setConnection(attempt.reported);
        throw error;
      } finally {
        if (connecting.current === attempt) connecting.current = null;
      }
    },
    [backend, client, setConnection],
  );

  return {
    view,
    failure: error === null ? null : toFailure(error),
    connection: data?.connection ?? CHECKING,
    connect,
  };
}

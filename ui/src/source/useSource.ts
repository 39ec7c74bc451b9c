import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import {
  type Backend,
  type Connection,
  type Failure,
  type SourceDraft,
  type SourceView,
  toFailure,
  type TypedSecrets,
} from "../backend";
import { useBackend } from "../backend/context";
import { SOURCE_KEY } from "../backend/queryKeys";
import { cancellable } from "./attempts";

/** Connects to a source and makes it the one in use. Aborting keeps the previous source, unless it is too late. */
export type Connect = (draft: SourceDraft, secrets: TypedSecrets, signal: AbortSignal) => Promise<void>;

/** What can be done with sources. Each rejects with a `Failure` and then changes nothing. */
export interface SourceActions {
  connect: Connect;
  /** Saves a source without reaching it. */
  save: (draft: SourceDraft, secrets: TypedSecrets) => Promise<void>;
  /** Switches to a source without waiting for its server. */
  use: (id: string) => Promise<void>;
  remove: (id: string) => Promise<void>;
  /** Adds the sample desk and switches to it. */
  trySample: () => Promise<void>;
}

export interface Source extends SourceActions {
  view: SourceView | null;
  failure: Failure | null;
  connection: Connection;
}

/** How often the backend is asked what day it is: a window may stay open past midnight. */
const TODAY_MS = 60_000;

const CHECKING: Connection = { state: "checking" };

// Kept with the source, so that the window never sees the connection of one source beside the name of another.
function setConnection(client: QueryClient, connection: Connection): void {
  client.setQueryData<SourceView>(SOURCE_KEY, (held) => held && { ...held, connection });
}

/** A change of sources that goes on, and what was reported of a connection meanwhile. */
interface Change {
  reported: Connection | null;
}

interface Sources {
  actions: SourceActions;
  /** Takes note of what the backend reports of a connection. */
  report: (connection: Connection) => void;
}

function makeSources(backend: Backend, client: QueryClient): Sources {
  // Meanwhile a report may be about either source, so it waits until it is known which one is in use.
  let current: Change | null = null;
  async function change(ask: () => Promise<SourceView>): Promise<Change> {
    const mine: Change = { reported: null };
    current = mine;
    try {
      client.setQueryData(SOURCE_KEY, await ask());
    } catch (error) {
      if (mine.reported !== null) setConnection(client, mine.reported);
      throw error;
    } finally {
      if (current === mine) current = null;
    }
    return mine;
  }
  /** For what does not wait for the server: its first report may arrive before the answer does. */
  async function changeAtOnce(ask: () => Promise<SourceView>): Promise<void> {
    const { reported } = await change(ask);
    if (reported !== null) await client.invalidateQueries({ queryKey: SOURCE_KEY });
  }
  const actions: SourceActions = {
    async connect(draft, secrets, signal) {
      await change(() => cancellable(backend, signal, (id) => backend.connect(id, draft, secrets)));
    },
    save: (draft, secrets) => changeAtOnce(() => backend.saveSource(draft, secrets)),
    use: (id) => changeAtOnce(() => backend.useSource(id)),
    remove: (id) => changeAtOnce(() => backend.deleteSource(id)),
    trySample: () => changeAtOnce(() => backend.trySample()),
  };
  const report = (connection: Connection) => {
    if (current === null) setConnection(client, connection);
    else current.reported = connection;
  };
  return { actions, report };
}

/** The source in use, whether it can be reached, and what can be done with the sources. */
export function useSource(): Source {
  const backend = useBackend();
  const client = useQueryClient();
  const { actions, report } = useMemo(() => makeSources(backend, client), [backend, client]);
  useEffect(() => backend.onConnection(report), [backend, report]);
  const { data, error } = useQuery({
    queryKey: SOURCE_KEY,
    queryFn: () => backend.sourceView(),
    staleTime: Infinity,
  });
  // Read separately: only the day is taken from a later answer, which may be about the source that is being connected.
  const today = useQuery({
    queryKey: ["today", data?.in_use, data?.profile],
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
  return {
    ...actions,
    view,
    failure: error === null ? null : toFailure(error),
    connection: data?.connection ?? CHECKING,
  };
}

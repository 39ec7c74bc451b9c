import { useQuery } from "@tanstack/react-query";

import { type Failure, type SourceDraft, toFailure, type TypedSecrets } from "../backend";
import { useBackend } from "../backend/context";
import { cancellable } from "./attempts";

/** What is asked: where, and with which secrets. */
export interface Asked {
  draft: SourceDraft;
  secrets: TypedSecrets;
}

/** Names that can be chosen instead of typed. */
export interface Listing<T> {
  items: readonly T[] | null;
  isLoading: boolean;
  failure: Failure | null;
}

/**
 * Lists names at the source, once per connection string, secrets and `within`, and only while they are wanted. A
 * listing that is no longer needed is stopped.
 */
export function useListing<T>(
  within: readonly string[],
  asked: Asked,
  isWanted: boolean,
  list: (id: number, asked: Asked) => Promise<T[]>,
): Listing<T> {
  const backend = useBackend();
  const { data, error, isFetching } = useQuery({
    // Nothing else reads this key; it is forgotten together with the form.
    queryKey: ["listing", within, asked.draft.profile.uri, asked.draft.secrets_of, asked.secrets],
    queryFn: ({ signal }) => cancellable(backend, signal, (id) => list(id, asked)),
    enabled: isWanted,
    staleTime: Infinity,
    gcTime: 0,
  });
  return {
    items: data ?? null,
    isLoading: isFetching,
    failure: error === null || isFetching ? null : toFailure(error),
  };
}

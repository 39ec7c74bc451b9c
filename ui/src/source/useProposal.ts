import { useEffect, useRef, useState } from "react";

import { type Failure, type Proposal, type SourceProfile, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { nextAttempt } from "./attempts";

export interface Proposing {
  busy: boolean;
  failure: Failure | null;
  proposal: Proposal | null;
  start: (profile: SourceProfile, password: string) => void;
}

/** Reads a sample of the documents and proposes a mapping. Closing the form aborts it. */
export function useProposal(proposed: (proposal: Proposal) => void): Proposing {
  const backend = useBackend();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const attempt = useRef<number | null>(null);
  useEffect(
    () => () => {
      if (attempt.current !== null) void backend.cancelConnect(attempt.current).catch(() => undefined);
    },
    [backend],
  );

  const start = (profile: SourceProfile, password: string) => {
    if (busy) return;
    const id = nextAttempt();
    attempt.current = id;
    setBusy(true);
    setFailure(null);
    backend
      .proposeMapping(id, profile, password === "" ? null : password)
      .then(
        (found) => {
          setProposal(found);
          proposed(found);
        },
        (error: unknown) => setFailure(toFailure(error)),
      )
      .finally(() => {
        attempt.current = null;
        setBusy(false);
      });
  };
  return { busy, failure, proposal, start };
}

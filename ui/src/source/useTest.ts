import { useCallback, useState } from "react";

import type { SourceTest } from "../backend";
import { useBackend } from "../backend/context";
import { cancellable } from "./attempts";
import { endedSteps, followStep, type ShownStep } from "./testSteps";
import type { Attempt } from "./useAttempt";
import type { Asked } from "./useListing";

export interface Test {
  /** Null until a test is asked for. */
  steps: readonly ShownStep[] | null;
  /** Null until the test has ended. */
  ended: SourceTest | null;
  start: (attempt: Attempt, settle: () => Promise<Asked>) => void;
  clear: () => void;
}

/** The test of a source, step by step. */
export function useTest(): Test {
  const backend = useBackend();
  const [steps, setSteps] = useState<readonly ShownStep[] | null>(null);
  const [ended, setEnded] = useState<SourceTest | null>(null);
  const start = useCallback<Test["start"]>(
    (attempt, settle) => {
      setSteps([]);
      setEnded(null);
      attempt.start(
        async (signal) => {
          const { draft, secrets } = await settle();
          return cancellable(backend, signal, (id) =>
            backend.testSource(id, draft, secrets, (event) => {
              if (!signal.aborted) setSteps((now) => followStep(now ?? [], event));
            }),
          );
        },
        (found) => {
          setSteps(endedSteps(found.steps));
          setEnded(found);
        },
      );
    },
    [backend],
  );
  const clear = useCallback(() => {
    setSteps(null);
    setEnded(null);
  }, []);
  return { steps, ended, start, clear };
}

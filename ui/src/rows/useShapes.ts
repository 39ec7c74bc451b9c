import { useCallback, useEffect, useRef, useState } from "react";

import { type Failure, toFailure, type ViewKey, type ViewShape } from "../backend";
import { useBackend } from "../backend/context";
import { sameKey } from "../run/runState";

/** The rows to show: of which query and days, and as of when. */
export interface Target {
  key: ViewKey;
  /** Changes whenever the rows behind the key may have changed. */
  stamp: string;
  /** Rows are still arriving. */
  live: boolean;
}

export interface Shapes {
  key: ViewKey;
  stamp: string;
  input: ViewShape;
  downstream: ViewShape;
}

/** While rows arrive, the grid reads again at most this often. */
const LIVE_MS = 1200;

/** The same if a page turns out to be of a later state. */
const AGAIN_MS = 250;

export interface HeldShapes {
  shapes: Shapes | null;
  failure: Failure | null;
  /** Reads columns and counts again, and then the rows. */
  reload: () => void;
}

/** Columns and counts of both roles of a target. */
export function useShapes(target: Target | null): HeldShapes {
  const backend = useBackend();
  const [shapes, setShapes] = useState<Shapes | null>(null);
  const [failed, setFailed] = useState<{ key: ViewKey; failure: Failure } | null>(null);
  const [asked, setAsked] = useState(0);
  const lastRead = useRef(0);
  const lastAsked = useRef(0);
  const { signature, from, to } = target?.key ?? { signature: "", from: "", to: "" };
  const stamp = target?.stamp ?? "";
  const live = target?.live ?? false;

  useEffect(() => {
    if (signature === "") return;
    let wanted = true;
    const key = { signature, from, to };
    const read = () => {
      lastRead.current = Date.now();
      Promise.all([backend.viewShape(key, "input"), backend.viewShape(key, "downstream")]).then(
        ([input, downstream]) => {
          if (!wanted) return;
          // A reload changes the stamp, so that the grid reads its rows again.
          setShapes({ key, stamp: `${stamp}/${asked}`, input, downstream });
          setFailed(null);
        },
        (error: unknown) => {
          // During a run the file may be missing or busy: the next chunk reads again.
          if (wanted && !live) setFailed({ key, failure: toFailure(error) });
        },
      );
    };
    const again = lastAsked.current !== asked;
    lastAsked.current = asked;
    const pause = again ? AGAIN_MS : live ? LIVE_MS : 0;
    const timer = setTimeout(read, Math.max(0, lastRead.current + pause - Date.now()));
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [backend, signature, from, to, stamp, live, asked]);

  const reload = useCallback(() => setAsked((count) => count + 1), []);
  const of = <T extends { key: ViewKey }>(held: T | null) =>
    held !== null && target !== null && sameKey(held.key, target.key) ? held : null;
  return { shapes: of(shapes), failure: of(failed)?.failure ?? null, reload };
}

import { useEffect, useRef, useState } from "react";

import { type Failure, toFailure, type ViewKey, type ViewShape } from "../backend";
import { useBackend } from "./backendContext";

/** Rows to look at: of which query and days, and as of when. */
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

/** While rows arrive the grid reads again no more often than this. */
const LIVE_MS = 1200;

function sameKey(a: ViewKey, b: ViewKey): boolean {
  return a.signature === b.signature && a.from === b.from && a.to === b.to;
}

/** Columns and counts of both roles of a target. */
export function useShapes(target: Target | null): { shapes: Shapes | null; failure: Failure | null } {
  const backend = useBackend();
  const [shapes, setShapes] = useState<Shapes | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const lastRead = useRef(0);
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
          setShapes({ key, stamp, input, downstream });
          setFailure(null);
        },
        (error: unknown) => {
          // While a run goes on the file may not be there yet, or be busy: the next chunk asks again.
          if (wanted && !live) setFailure(toFailure(error));
        },
      );
    };
    const delay = live ? Math.max(0, lastRead.current + LIVE_MS - Date.now()) : 0;
    const timer = setTimeout(read, delay);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [backend, signature, from, to, stamp, live]);

  const fits = shapes !== null && target !== null && sameKey(shapes.key, target.key);
  return { shapes: fits ? shapes : null, failure: target === null ? null : failure };
}

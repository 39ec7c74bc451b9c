import { useMemo, useState } from "react";

import { type Failure, toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { plural } from "../controls/format";
import type { Handlers } from "./grid/contract";
import { RowsChanged } from "./grid/lazyRows";
import { copiedText } from "./grid/selection";

export interface Copies {
  /** What is being copied, however long that takes; "" if nothing is. */
  copying: string;
  failure: Failure | null;
  dismiss: () => void;
  handlers: Pick<Handlers, "copy" | "copying" | "copyFailed">;
  /** Copies a text, and says which. */
  copyText: (text: string) => void;
}

/** Puts what the grid has copied on the clipboard. */
export function useCopies(announce: (text: string) => void): Copies {
  const backend = useBackend();
  const [copying, setCopying] = useState("");
  const [failure, setFailure] = useState<Failure | null>(null);
  const actions = useMemo(() => {
    const put = (text: string, said: string) =>
      backend.copyText(text).then(
        () => {
          setCopying("");
          setFailure(null);
          announce(said);
        },
        (error: unknown) => {
          setCopying("");
          setFailure(toFailure(error));
        },
      );
    const handlers: Copies["handlers"] = {
      copying: (rows) => {
        announce("");
        setCopying(`Copying ${plural(rows, "row")}`);
      },
      copy: (text, copied) => void put(text, copiedText(copied)),
      copyFailed: (error) => {
        setCopying("");
        if (error instanceof RowsChanged) announce("The rows have changed; copy again");
        else setFailure(toFailure(error));
      },
    };
    return {
      handlers,
      copyText: (text: string) => void put(text, `Copied ${text}`),
      dismiss: () => setFailure(null),
    };
  }, [backend, announce]);
  return { copying, failure, ...actions };
}

import { useCallback } from "react";

import { toFailure } from "../backend";
import { useBackend } from "../backend/context";
import { cutText } from "./format";
import { useToast } from "./toasts";

/** Copies a text and says whether that worked. */
export function useCopy(): (text: string) => void {
  const backend = useBackend();
  const say = useToast();
  return useCallback(
    (text) => {
      backend.copyText(text).then(
        () => say(`Copied: ${cutText(text, 80)}`),
        (error: unknown) => say(toFailure(error)),
      );
    },
    [backend, say],
  );
}

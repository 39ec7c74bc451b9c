import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { Button } from "react-aria-components";

import type { Failure } from "../backend";
import { FailureNote } from "./FailureNote";
import { Icon } from "./icons";

/** What is said in a corner of the window, whatever is shown meanwhile. */
export interface Toast {
  /** What was done; it goes by itself. A failure stays until it has been read. */
  says: string | Failure;
}

interface Shown extends Toast {
  id: number;
}

/** How long something that was done is shown. */
export const TOAST_MS = 6000;

/** With more, the oldest of those that go by themselves go first. */
const MOST = 4;

type Say = (says: Toast["says"]) => void;

const ToastContext = createContext<Say>(() => undefined);

/** Says something in the corner of the window. */
export function useToast(): Say {
  return useContext(ToastContext);
}

let lastId = 0;

/** Gives what is inside a place to say things. */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Shown[]>([]);
  const say = useCallback<Say>((says) => {
    lastId += 1;
    const id = lastId;
    setToasts((before) => {
      const passing = before.filter((toast) => typeof toast.says === "string");
      const tooMany = before.length >= MOST ? passing[0] : undefined;
      return [...before.filter((toast) => toast !== tooMany), { id, says }];
    });
  }, []);
  const dismiss = useCallback(
    (id: number) => setToasts((before) => before.filter((toast) => toast.id !== id)),
    [],
  );
  const list = useMemo(
    () => toasts.map((toast) => <ToastItem key={toast.id} toast={toast} dismiss={dismiss} />),
    [toasts, dismiss],
  );
  return (
    <ToastContext value={say}>
      {children}
      <div className="toasts" role="region" aria-label="Messages" data-testid="toasts">
        {list}
      </div>
    </ToastContext>
  );
}

function ToastItem({ toast, dismiss }: { toast: Shown; dismiss: (id: number) => void }) {
  const { id, says } = toast;
  const [held, hold] = useState(false);
  const passes = typeof says === "string" && !held;
  useEffect(() => {
    if (!passes) return;
    const timer = setTimeout(() => dismiss(id), TOAST_MS);
    return () => clearTimeout(timer);
  }, [passes, id, dismiss]);
  if (typeof says !== "string") {
    return (
      <div className="toast">
        <FailureNote failure={says} testId="toast-failure" dismiss={() => dismiss(id)} />
      </div>
    );
  }
  return (
    <div
      className="toast note"
      role="status"
      // It does not go while somebody reads it.
      onMouseEnter={() => hold(true)}
      onMouseLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
      data-testid="toast"
    >
      <Icon name="check" />
      <div className="note-body">{says}</div>
      <Button className="icon-button" aria-label="Dismiss" onPress={() => dismiss(id)}>
        <Icon name="close" size={12} />
      </Button>
    </div>
  );
}

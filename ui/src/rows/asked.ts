// Questions about rows that may take a while: one that nobody waits for any more is stopped in the engine.

import type { Backend } from "../backend";

let lastRequest = Date.now();

/** Asks under an id of its own, by which the engine stops when the signal does. */
export function asked<T>(
  backend: Backend,
  signal: AbortSignal,
  ask: (requestId: number) => Promise<T>,
): Promise<T> {
  lastRequest += 1;
  const id = lastRequest;
  const stop = () => void backend.cancelRows(id).catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  return ask(id).finally(() => signal.removeEventListener("abort", stop));
}

import type { Backend } from "../backend";

// Unique across reloads of the page too.
let last = Date.now();

/** Asks the backend under a number of its own, by which it is cancelled when the signal is aborted. */
export async function cancellable<T>(
  backend: Backend,
  signal: AbortSignal,
  ask: (id: number) => Promise<T>,
): Promise<T> {
  last += 1;
  const id = last;
  // An attempt that has already ended cannot be cancelled; there is nothing to report.
  const giveUp = () => void backend.cancelConnect(id).catch(() => undefined);
  signal.addEventListener("abort", giveUp);
  try {
    return await ask(id);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

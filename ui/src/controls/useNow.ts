import { useSyncExternalStore } from "react";

/** "12 seconds ago" may lag by this. */
const TICK_MS = 5000;

// One clock for the whole window: two places that show the same moment must not differ.
let now = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now();
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === null) {
    tick();
    timer = setInterval(tick, TICK_MS);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** The time in milliseconds, renewed often enough for "12 seconds ago". */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

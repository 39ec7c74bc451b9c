// Numbers of attempts to reach a source, by which one is cancelled.

// Unique across reloads of the page too.
let last = Date.now();

/** A number that no other attempt has. */
export function nextAttempt(): number {
  last += 1;
  return last;
}

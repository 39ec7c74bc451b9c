// Changes that would move things under the mouse wait until the mouse button is up.

let down = false;
let waiting: (() => void)[] = [];

if (typeof window !== "undefined") {
  const press = (event: PointerEvent) => {
    // The release of the right button is not always reported.
    if (event.button === 0) down = true;
  };
  window.addEventListener("pointerdown", press, true);
  const release = () => {
    down = false;
    const ready = waiting;
    waiting = [];
    // After the click that follows the release.
    if (ready.length > 0) setTimeout(() => ready.forEach((act) => act()), 0);
  };
  window.addEventListener("pointerup", release, true);
  window.addEventListener("pointercancel", release, true);
}

/**
 * Acts at once or, while a mouse button is down, after the click. Leaving a field by clicking on an element below it
 * must not move that element away before the click lands.
 */
export function afterPointer(act: () => void): void {
  if (down) waiting.push(act);
  else act();
}

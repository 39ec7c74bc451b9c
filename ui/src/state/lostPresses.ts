// WebKit loses the release of the right button when a context menu is asked for, whether or not one is shown. It then
// takes the next press of the left button for a further button of the same press and sends a pointermove in place of
// the pointerdown (https://bugs.webkit.org/show_bug.cgi?id=232123). Controls that act on a pointerdown miss that click.

/** Sends the missing pointerdown before its mousedown. Returns what ends it. */
export function mendLostPresses(): () => void {
  // A press that was lost comes right after a pointermove with the id of the same pointer.
  let pointerId = 1;
  let isHeard = false;
  const moved = (event: PointerEvent) => {
    pointerId = event.pointerId;
  };
  const heard = (event: PointerEvent) => {
    isHeard = event.button === 0;
  };
  const pressed = (event: MouseEvent) => {
    if (event.button !== 0) return;
    const wasHeard = isHeard;
    isHeard = false;
    // While another button is really held, a pointermove is right.
    if (wasHeard || (event.buttons & ~1) !== 0) return;
    event.target?.dispatchEvent(
      new PointerEvent("pointerdown", {
        bubbles: true,
        cancelable: true,
        composed: true,
        pointerId,
        pointerType: "mouse",
        isPrimary: true,
        pressure: 0.5,
        button: 0,
        buttons: 1,
        clientX: event.clientX,
        clientY: event.clientY,
        screenX: event.screenX,
        screenY: event.screenY,
        ctrlKey: event.ctrlKey,
        shiftKey: event.shiftKey,
        altKey: event.altKey,
        metaKey: event.metaKey,
      }),
    );
    isHeard = false;
  };
  window.addEventListener("pointermove", moved, true);
  window.addEventListener("pointerdown", heard, true);
  window.addEventListener("mousedown", pressed, true);
  return () => {
    window.removeEventListener("pointermove", moved, true);
    window.removeEventListener("pointerdown", heard, true);
    window.removeEventListener("mousedown", pressed, true);
  };
}

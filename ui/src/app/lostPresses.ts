// WebKit loses the release of the right button when a context menu is requested, whether or not one is shown. It then
// takes the next press of the left button for another button of the same press and sends a pointermove instead of the
// pointerdown (https://bugs.webkit.org/show_bug.cgi?id=232123). Controls that act on a pointerdown miss that click.

/** Sends the missing pointerdown before its mousedown. The returned function ends that. */
export function mendLostPresses(): () => void {
  // A lost press comes right after a pointermove with the id of the same pointer.
  let pointerId = 1;
  let isDelivered = false;
  const moved = (event: PointerEvent) => {
    pointerId = event.pointerId;
  };
  const delivered = (event: PointerEvent) => {
    isDelivered = event.button === 0;
  };
  const pressed = (event: MouseEvent) => {
    if (event.button !== 0) return;
    const wasDelivered = isDelivered;
    isDelivered = false;
    // While another button is really held, a pointermove is correct.
    if (wasDelivered || (event.buttons & ~1) !== 0) return;
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
    isDelivered = false;
  };
  window.addEventListener("pointermove", moved, true);
  window.addEventListener("pointerdown", delivered, true);
  window.addEventListener("mousedown", pressed, true);
  return () => {
    window.removeEventListener("pointermove", moved, true);
    window.removeEventListener("pointerdown", delivered, true);
    window.removeEventListener("mousedown", pressed, true);
  };
}

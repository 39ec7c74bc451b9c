/**
 * Runs something once a menu that is closing has given the focus back, which it does in the next frame. A popover that
 * is opened earlier may lose the focus to it, and closes.
 */
export function afterMenu(run: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(run));
}

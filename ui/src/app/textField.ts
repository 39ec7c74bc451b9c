/** Whether keys pressed at an element are typed into it. */
export function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" && target.type !== "radio";
  return target instanceof Element && target.closest("textarea, [contenteditable=true]") !== null;
}

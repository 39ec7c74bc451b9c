import { useEffect, useState } from "react";

import { useBackend } from "../backend/context";
import { CommandItem } from "../controls/CommandMenu";
import { PointMenu } from "../controls/PointMenu";

interface Chosen {
  x: number;
  y: number;
  text: string;
}

/** The text that is selected at an element, if any. */
function selectedAt(target: Node): string {
  const selection = window.getSelection();
  if (selection === null || selection.rangeCount === 0) return "";
  return selection.getRangeAt(0).intersectsNode(target) ? selection.toString() : "";
}

/**
 * Replaces the browser's context menu, whose Back and Reload would lose what is on the screen. Text fields keep it,
 * since it is the system's way to cut and paste; selected text elsewhere can be copied.
 */
export function TextMenu() {
  const backend = useBackend();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  useEffect(() => {
    const asked = (event: MouseEvent) => {
      const { target, clientX: x, clientY: y } = event;
      if (event.defaultPrevented || !(target instanceof Element)) return;
      if (target.closest("input, textarea, [contenteditable=true]") !== null) return;
      event.preventDefault();
      const text = selectedAt(target);
      setChosen(text === "" ? null : { x, y, text });
    };
    window.addEventListener("contextmenu", asked);
    return () => window.removeEventListener("contextmenu", asked);
  }, []);
  if (chosen === null) return null;
  return (
    <PointMenu
      x={chosen.x}
      y={chosen.y}
      label="Text"
      testId="text-menu"
      perform={() => void backend.copyText(chosen.text).catch(() => undefined)}
      close={() => setChosen(null)}
    >
      <CommandItem place="rows" id="copy" />
    </PointMenu>
  );
}

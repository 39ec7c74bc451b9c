import { useEffect, useRef } from "react";

import { zoomKey, type ZoomKey } from "../rows/dataZoom";
import { stepRegion } from "./regions";
import { isTextField } from "./textField";

export interface Shortcuts {
  fetch: () => void;
  /** Returns whether there was something to cancel. */
  cancel: () => boolean;
  exportRows: () => void;
  /** Selects all rows and focuses them. */
  selectRows: () => void;
  focusFilter: () => void;
  togglePanel: () => void;
  help: () => void;
  /** Goes to the query, the cached queries, the plan or the rows: Ctrl+1 to Ctrl+4. */
  goTo: (place: Place) => void;
  /** Sets rows and documents larger or smaller. */
  zoom: (by: ZoomKey) => void;
}

export type Place = "query" | "cached" | "plan" | "rows";

const PLACES: Record<string, Place> = { "1": "query", "2": "cached", "3": "plan", "4": "rows" };

/** Selects the text of the document that an element belongs to; false if it belongs to none. */
function selectDocument(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const text =
    target.closest(".code-block") ??
    target.closest("[data-region=detail], [role=dialog]")?.querySelector(".code-block") ??
    null;
  if (text === null) return false;
  window.getSelection()?.selectAllChildren(text);
  return true;
}

/** The keys that work anywhere in the window. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const open = () => document.querySelector("[role=dialog], [role=alertdialog]") !== null;
    // A menu or a list of values closes on Escape, and is gone by the time the event has bubbled up to here.
    let used = false;
    const before = (event: KeyboardEvent) => {
      if (event.key === "Escape")
        used = open() || document.querySelector("[role=listbox], [role=menu]") !== null;
    };
    const command = (event: KeyboardEvent) => {
      if (event.key === "F1" && !open()) {
        event.preventDefault();
        latest.current.help();
        return;
      }
      if (event.key === "F6" && !open()) {
        event.preventDefault();
        stepRegion(event.shiftKey ? -1 : 1);
        return;
      }
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const zoom = zoomKey(event.key);
      if (zoom !== null) {
        // In a dialog too: it may show a document, and the browser must not zoom the whole page instead.
        event.preventDefault();
        latest.current.zoom(zoom);
        return;
      }
      if (event.shiftKey) return;
      const key = event.key.toLowerCase();
      if (key === "a") {
        if (isTextField(event.target)) return;
        // The browser would select the text of the whole window.
        event.preventDefault();
        const isInList =
          event.target instanceof Element && event.target.closest("[role=listbox], [role=menu]") !== null;
        if (isInList || selectDocument(event.target) || open()) return;
        event.stopPropagation();
        latest.current.selectRows();
        return;
      }
      if (open()) return;
      const place = PLACES[key];
      if (place !== undefined) latest.current.goTo(place);
      else if (key === "enter") latest.current.fetch();
      else if (key === "e") latest.current.exportRows();
      else if (key === "k") latest.current.focusFilter();
      else if (key === "b") latest.current.togglePanel();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const escape = (event: KeyboardEvent) => {
      // A menu or a dialog that closed on this key has already handled it.
      if (event.key !== "Escape" || event.defaultPrevented || used || open()) return;
      // In a text of several lines Escape neither cancels a run nor discards what took long to type.
      if (event.target instanceof HTMLTextAreaElement && event.target.value !== "") return;
      if (latest.current.cancel()) event.preventDefault();
    };
    // WebKit empties the clipboard if there is nothing to copy.
    const copy = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "c" || isTextField(event.target))
        return;
      if (window.getSelection()?.isCollapsed ?? true) event.preventDefault();
    };
    window.addEventListener("keydown", before, true);
    // Commands are taken before a field can use Enter for itself.
    window.addEventListener("keydown", command, true);
    window.addEventListener("keydown", escape);
    window.addEventListener("keydown", copy);
    return () => {
      window.removeEventListener("keydown", before, true);
      window.removeEventListener("keydown", command, true);
      window.removeEventListener("keydown", escape);
      window.removeEventListener("keydown", copy);
    };
  }, []);
}

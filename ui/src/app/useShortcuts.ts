import { useEffect, useRef } from "react";

import type { Command } from "../controls/commands";
import { commandOf, holdsInDialogs } from "../controls/keys";
import { isTextField } from "./textField";

/** What each key of the window does. */
export interface Shortcuts extends Record<Exclude<Command<"window">, "cancel">, () => void> {
  /** Returns whether there was something to cancel. */
  cancel: () => boolean;
  /** Selects all rows and focuses them. */
  selectRows: () => void;
}

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

/** Menus and lists of values. The bars of the days are a list that stays. */
const POPUPS = "[role=listbox]:not(.bar-places), [role=menu]";

/** Whether a key is one of the SQL, pressed in its tab. */
function isOfSql(event: KeyboardEvent): boolean {
  const isIn = event.target instanceof Element && event.target.closest("[data-place=sql]") !== null;
  return isIn && commandOf("sql", event) !== null;
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
      if (commandOf("window", event) === "cancel") used = open() || document.querySelector(POPUPS) !== null;
    };
    const selectAll = (event: KeyboardEvent) => {
      if (isTextField(event.target)) return;
      // The browser would select the text of the whole window.
      event.preventDefault();
      const isInList =
        event.target instanceof Element && event.target.closest("[role=listbox], [role=menu]") !== null;
      if (isInList || selectDocument(event.target) || open()) return;
      event.stopPropagation();
      latest.current.selectRows();
    };
    const pressed = (event: KeyboardEvent) => {
      if (commandOf("rows", event) === "select_all") return selectAll(event);
      const command = commandOf("window", event);
      // Where SQL is written, its own keys come first: Ctrl+Enter runs it.
      if (isOfSql(event) && !open()) return;
      if (command === null || command === "cancel" || (open() && !holdsInDialogs(command))) return;
      event.preventDefault();
      // A field must not use Ctrl+Enter for itself. Keys without Ctrl are of no use to one, and go on.
      if (event.ctrlKey || event.metaKey) event.stopPropagation();
      latest.current[command]();
    };
    const escape = (event: KeyboardEvent) => {
      // A menu or a dialog that closed on this key has already handled it.
      if (commandOf("window", event) !== "cancel" || event.defaultPrevented || used || open()) return;
      // In a text of several lines Escape neither cancels a run nor discards what took long to type.
      if (event.target instanceof HTMLTextAreaElement && event.target.value !== "") return;
      if (latest.current.cancel()) event.preventDefault();
    };
    // WebKit empties the clipboard if there is nothing to copy.
    const copy = (event: KeyboardEvent) => {
      const command = commandOf("rows", event);
      if ((command !== "copy" && command !== "copy_with_heading") || isTextField(event.target)) return;
      if (window.getSelection()?.isCollapsed ?? true) event.preventDefault();
    };
    window.addEventListener("keydown", before, true);
    // Commands are taken before a field can use Enter for itself.
    window.addEventListener("keydown", pressed, true);
    window.addEventListener("keydown", escape);
    window.addEventListener("keydown", copy);
    return () => {
      window.removeEventListener("keydown", before, true);
      window.removeEventListener("keydown", pressed, true);
      window.removeEventListener("keydown", escape);
      window.removeEventListener("keydown", copy);
    };
  }, []);
}

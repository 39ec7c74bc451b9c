import { type KeyboardEvent, type MouseEvent, type ReactNode, useState } from "react";

import type { Command, Place } from "./commands";
import { commandName, commandOf, keyText } from "./keys";
import { PointMenu, PointMenuItem } from "./PointMenu";

/** A command of the table, with its name and its keys. */
export function CommandItem<P extends Place>({
  place,
  id,
  label,
  hint,
}: {
  place: P;
  id: Command<P>;
  /** Words that suit the place better than the name in the table. */
  label?: string;
  /** More about it, such as why it cannot be used. */
  hint?: string | undefined;
}) {
  const keys = keyText(place, id) || undefined;
  return <PointMenuItem id={id} label={label ?? commandName(place, id)} keys={keys} hint={hint} />;
}

interface Offer<P extends Place> {
  place: P;
  /** What the menu is about. */
  label: string;
  testId: string;
  /** In the order of the menu. */
  commands: readonly Command<P>[];
  disabled?: readonly Command<P>[];
  perform: (command: Command<P>) => void;
}

export interface CommandMenu {
  /** Null while it is closed. */
  menu: ReactNode;
  /** For the element that the menu is about. */
  onContextMenu: (event: MouseEvent<HTMLElement>) => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** A context menu of commands, and their keys. It opens at the pointer or, by key, below what has the focus. */
export function useCommandMenu<P extends Place>(offer: Offer<P>): CommandMenu {
  const { place, label, testId, commands, disabled = [], perform } = offer;
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const openBelow = (element: Element) => {
    const box = element.getBoundingClientRect();
    setAt({ x: box.left, y: box.bottom });
  };
  return {
    menu:
      at === null ? null : (
        <PointMenu
          x={at.x}
          y={at.y}
          label={label}
          testId={testId}
          disabled={disabled}
          perform={(command) => perform(command as Command<P>)}
          close={() => setAt(null)}
        >
          {commands.map((id) => (
            <CommandItem key={id} place={place} id={id} />
          ))}
        </PointMenu>
      ),
    onContextMenu: (event) => {
      // Text that is being typed has the system's own menu.
      if (event.target instanceof Element && event.target.closest("input, textarea") !== null) return;
      event.preventDefault();
      event.stopPropagation();
      // The key of the menu has no place on the screen.
      if (event.clientX === 0 && event.clientY === 0) openBelow(event.currentTarget);
      else setAt({ x: event.clientX, y: event.clientY });
    },
    onKeyDown: (event) => {
      if (event.target instanceof Element && event.target.closest("input, textarea") !== null) return;
      if (commandOf("rows", event) === "menu") {
        event.preventDefault();
        event.stopPropagation();
        openBelow(event.target instanceof Element ? event.target : event.currentTarget);
        return;
      }
      const command = commandOf(place, event);
      if (command === null || !commands.includes(command) || disabled.includes(command)) return;
      event.preventDefault();
      event.stopPropagation();
      perform(command);
    },
  };
}

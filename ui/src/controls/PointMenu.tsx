import { type ReactNode, useRef } from "react";
import { Keyboard, Menu, MenuItem, Popover, Text } from "react-aria-components";

interface ItemProps {
  id: string;
  label: string;
  /** The keys that do the same. */
  keys?: string | undefined;
  /** More about it, such as why it cannot be used. */
  hint?: string | undefined;
}

/** One command of a menu. */
export function PointMenuItem({ id, label, keys, hint }: ItemProps) {
  return (
    <MenuItem id={id} className="menu-item" textValue={label}>
      <Text slot="label">{label}</Text>
      {hint !== undefined && (
        <Text slot="description" className="menu-hint">
          {hint}
        </Text>
      )}
      {keys !== undefined && <Keyboard className="menu-keys">{keys}</Keyboard>}
    </MenuItem>
  );
}

interface Props {
  /** Where it opens, in the window. */
  x: number;
  y: number;
  label: string;
  testId: string;
  disabled?: readonly string[];
  perform: (command: string) => void;
  close: () => void;
  children: ReactNode;
}

/** A menu at a point of the window, in place of the browser's own. */
export function PointMenu({ x, y, label, testId, disabled = [], perform, close, children }: Props) {
  const anchor = useRef<HTMLSpanElement>(null);
  return (
    <>
      <span ref={anchor} className="menu-anchor" style={{ left: x, top: y }} />
      <Popover
        className="popover menu"
        aria-label={label}
        isOpen
        onOpenChange={(open) => !open && close()}
        triggerRef={anchor}
        placement="bottom start"
        offset={0}
      >
        <Menu
          className="menu-list"
          aria-label={label}
          autoFocus="first"
          disabledKeys={disabled}
          onAction={(key) => {
            close();
            perform(String(key));
          }}
          data-testid={testId}
        >
          {children}
        </Menu>
      </Popover>
    </>
  );
}

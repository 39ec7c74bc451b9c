import { type ReactNode, useRef } from "react";
import { Dialog, Popover } from "react-aria-components";

interface Props {
  /** Where it opens, in the window. */
  at: { x: number; y: number };
  /** The class of what it holds. */
  className: string;
  /** Its name for screen readers. */
  label: string;
  testId?: string;
  close: () => void;
  children: ReactNode;
}

/** What is asked or said about a column, below its heading. */
export function ColumnPopover({ at, className, label, testId, close, children }: Props) {
  const anchor = useRef<HTMLSpanElement>(null);
  return (
    <>
      <span ref={anchor} className="menu-anchor" style={{ left: at.x, top: at.y }} />
      <Popover
        className="popover"
        isOpen
        onOpenChange={(open) => !open && close()}
        triggerRef={anchor}
        placement="bottom start"
        offset={0}
      >
        <Dialog className={`popover-body ${className}`} aria-label={label} data-testid={testId}>
          {children}
        </Dialog>
      </Popover>
    </>
  );
}

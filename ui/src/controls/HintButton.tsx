import { type ReactNode, useId } from "react";
import { Button, Tooltip, TooltipTrigger } from "react-aria-components";

interface Props {
  className: string;
  testId: string;
  /** What it does. */
  hint: string;
  /** Why it cannot be pressed now; null if it can. */
  blocked: string | null;
  press: () => void;
  children: ReactNode;
}

/**
 * A button with a tooltip that says what it does, or why it is blocked. A blocked button stays focusable:
 * disabling it would lose the focus, and its reason could not be read.
 */
export function HintButton({ className, testId, hint, blocked, press, children }: Props) {
  const reason = useId();
  return (
    <TooltipTrigger delay={600}>
      <Button
        className={className}
        aria-describedby={blocked === null ? undefined : reason}
        aria-disabled={blocked !== null || undefined}
        onPress={() => {
          if (blocked === null) press();
        }}
        data-testid={testId}
      >
        {children}
      </Button>
      {blocked !== null && (
        <span id={reason} hidden>
          {blocked}
        </span>
      )}
      <Tooltip className="tooltip" offset={6}>
        {blocked ?? hint}
      </Tooltip>
    </TooltipTrigger>
  );
}

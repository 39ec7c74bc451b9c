import { type ReactNode, useId, useState } from "react";
import { Button } from "react-aria-components";

import { Icon } from "./icons";

interface Props {
  kind: "bad" | "partial";
  role: "alert" | "status";
  testId: string;
  code?: string;
  head: string;
  text: string;
  /** The details that the button shows. */
  more: ReactNode;
  moreLabel: string;
  children?: ReactNode;
}

/** A short message that leaves room for the rows below; details are shown on demand. */
export function NoteLine({ kind, role, testId, code, head, text, more, moreLabel, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <div
      className={`note note-line note-${kind}`}
      role={role}
      data-open={isOpen || undefined}
      data-testid={testId}
      data-code={code}
    >
      <Icon name="warn" />
      <div className="note-body">
        <p className="note-text" title={isOpen || kind === "partial" ? undefined : `${head} ${text}`.trim()}>
          <strong>{head}</strong> {text}
        </p>
        <div id={id} className="note-more" hidden={!isOpen}>
          {more}
        </div>
      </div>
      <Button
        className="link note-toggle"
        aria-expanded={isOpen}
        aria-controls={id}
        onPress={() => setOpen(!isOpen)}
      >
        {isOpen ? "Less" : moreLabel}
      </Button>
      {children}
    </div>
  );
}

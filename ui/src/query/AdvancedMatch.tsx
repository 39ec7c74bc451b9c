import { memo, useEffect, useRef, useState } from "react";
import { Label, TextArea, TextField } from "react-aria-components";

import type { Failure } from "../backend";

interface Props {
  text: string;
  failure: Failure | null;
  change: (text: string) => void;
}

/** A match document in Extended JSON, for conditions that the form cannot express. */
export const AdvancedMatch = memo(function AdvancedMatch({ text, failure, change }: Props) {
  const error = useRef<HTMLDivElement>(null);
  const message = failure?.message;
  // The box is at the bottom of the panel, so its error may be out of sight.
  useEffect(() => {
    if (message !== undefined) error.current?.scrollIntoView?.({ block: "nearest" });
  }, [message]);
  const narrows = text.trim() !== "";
  const [opened, setOpened] = useState(narrows);
  const [narrowed, setNarrowed] = useState(narrows);
  // Loading a query with an advanced match opens the box.
  if (narrows !== narrowed) {
    setNarrowed(narrows);
    if (narrows) setOpened(true);
  }
  // Text that has to be corrected is always visible.
  const open = opened || failure !== null;
  return (
    <details className="advanced" open={open}>
      <summary
        data-testid="advanced-toggle"
        onClick={(event) => {
          // Only this state opens and closes it: the element's own state would differ after a failure.
          event.preventDefault();
          setOpened(!open);
        }}
      >
        Advanced match
        {narrows && (
          <span className="in-force" data-testid="advanced-mark">
            active
          </span>
        )}
      </summary>
      <TextField className="text-field" value={text} onChange={change} isInvalid={failure !== null}>
        <Label className="visually-hidden">Advanced match (Extended JSON)</Label>
        <TextArea
          className="input code"
          rows={4}
          spellCheck="false"
          placeholder={'{"price.value": {"$gte": {"$numberDecimal": "75"}}}'}
          data-testid="advanced-input"
        />
      </TextField>
      {failure && (
        <div ref={error} className="field-error" role="alert" data-testid="advanced-error">
          {failure.message} <span className="faint">{failure.next}</span>
          {failure.cause && <code className="field-cause">{failure.cause}</code>}
        </div>
      )}
    </details>
  );
});

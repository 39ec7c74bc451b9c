import { memo, useEffect, useRef, useState } from "react";
import { Label, TextArea, TextField } from "react-aria-components";

import type { Failure } from "../backend";

interface Props {
  text: string;
  failure: Failure | null;
  change: (text: string) => void;
}

/** A match document in Extended JSON, for what the form cannot say. */
export const AdvancedMatch = memo(function AdvancedMatch({ text, failure, change }: Props) {
  const error = useRef<HTMLDivElement>(null);
  const told = failure?.message;
  // The box is the last of the panel: its error must not stay below the edge.
  useEffect(() => {
    if (told !== undefined) error.current?.scrollIntoView?.({ block: "nearest" });
  }, [told]);
  const narrows = text.trim() !== "";
  const [opened, setOpened] = useState(narrows);
  const [narrowed, setNarrowed] = useState(narrows);
  // A query that is loaded shows what it narrows by.
  if (narrows !== narrowed) {
    setNarrowed(narrows);
    if (narrows) setOpened(true);
  }
  // What has to be corrected never hides.
  const open = opened || failure !== null;
  return (
    <details className="advanced" open={open}>
      <summary
        data-testid="advanced-toggle"
        onClick={(event) => {
          // Opened and closed here alone: the element's own idea of it would differ after a failure.
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

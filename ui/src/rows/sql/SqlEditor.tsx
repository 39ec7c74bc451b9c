import { type RefObject, useEffect, useId, useImperativeHandle, useRef } from "react";

import { keyText } from "../../controls/keys";
import { inserted, offsetOf, type Place, wordAt } from "./sqlText";

export interface EditorHandle {
  /** Inserts a name at the cursor. */
  insert: (name: string) => void;
  focus: () => void;
}

interface Props {
  ref: RefObject<EditorHandle | null>;
  text: string;
  change: (text: string) => void;
  /** Where the text is wrong; null if nothing is known to be. */
  mistake: Place | null;
}

/** The field of the statement. What is wrong in it is underlined, and the cursor goes there. */
export function SqlEditor({ ref, text, change, mistake }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const hint = useId();
  /** Where the cursor goes when a changed text has been drawn. */
  const cursor = useRef<number | null>(null);
  useEffect(() => {
    if (cursor.current === null) return;
    field.current?.setSelectionRange(cursor.current, cursor.current);
    cursor.current = null;
  }, [text]);
  useImperativeHandle(ref, () => ({
    insert: (name) => {
      const at = field.current;
      if (at === null) return;
      const made = inserted(text, at.selectionStart, at.selectionEnd, name);
      cursor.current = made.cursor;
      change(made.text);
      at.focus();
    },
    focus: () => field.current?.focus(),
  }));
  const wrong = mistake === null ? null : wordAt(text, offsetOf(text, mistake));
  const from = wrong?.from ?? -1;
  useEffect(() => {
    if (from < 0) return;
    field.current?.focus();
    field.current?.setSelectionRange(from, from);
  }, [mistake, from]);
  return (
    <div className="sql-editor">
      <div ref={marks} className="sql-marks" aria-hidden="true">
        {wrong !== null && (
          <>
            {text.slice(0, wrong.from)}
            <mark data-testid="sql-mistake">{text.slice(wrong.from, wrong.to) || " "}</mark>
            {text.slice(wrong.to)}
          </>
        )}
      </div>
      <textarea
        ref={field}
        className="sql-text"
        aria-label="SQL"
        aria-describedby={hint}
        aria-invalid={wrong !== null || undefined}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        value={text}
        onChange={(event) => change(event.target.value)}
        onScroll={(event) => {
          if (marks.current === null) return;
          marks.current.scrollTop = event.currentTarget.scrollTop;
          marks.current.scrollLeft = event.currentTarget.scrollLeft;
        }}
        data-testid="sql-text"
      />
      <span id={hint} hidden>
        {keyText("sql", "run_sql")} runs it. One SELECT on the tables trades and messages; nothing can be
        written.
      </span>
    </div>
  );
}

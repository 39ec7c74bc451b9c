import { useState } from "react";
import { Button, FieldError, Form, Input, Label, Text, TextField } from "react-aria-components";

import type { SettingsView } from "../backend";
import { megabytes, readMemory } from "./memory";
import type { Settings } from "./useSettings";

interface Props {
  view: SettingsView;
  attempt: Settings["attempt"];
}

/** How much memory a fetch may use. Whether a number will do is decided by the engine. */
export function MemoryLimit({ view, attempt }: Props) {
  const held = view.memory_limit === null ? "" : megabytes(view.memory_limit);
  const [text, setText] = useState(held);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const set = () => {
    const bytes = readMemory(text);
    if (bytes === undefined) return setProblem("Enter a number of MB, or leave it blank for the default.");
    if (busy || text.trim() === held) return;
    setBusy(true);
    void attempt({ setting: "memory_limit", bytes })
      .then((failure) => setProblem(failure && [failure.message, failure.next].join(" ").trim()))
      .finally(() => setBusy(false));
  };
  return (
    <Form
      validationBehavior="aria"
      onSubmit={(event) => {
        event.preventDefault();
        set();
      }}
    >
      <TextField
        className="text-field"
        value={text}
        isInvalid={problem !== null}
        onChange={(typed) => {
          setText(typed);
          setProblem(null);
        }}
      >
        <Label className="field-label">Memory for a fetch, in MB</Label>
        <div className="two-fields">
          <Input
            className="input num settings-number"
            inputMode="decimal"
            autoComplete="off"
            placeholder={megabytes(view.default_memory_limit)}
            data-testid="settings-memory"
          />
          <Button
            className="button"
            type="submit"
            aria-disabled={busy || text.trim() === held || undefined}
            data-testid="settings-memory-set"
          >
            Set
          </Button>
        </div>
        <FieldError className="field-error" data-testid="settings-memory-problem">
          {problem}
        </FieldError>
        <Text slot="description" className="faint settings-hint">
          Blank means the default, {megabytes(view.default_memory_limit)} MB. At least{" "}
          {megabytes(view.least_memory_limit)} MB. Wide tables need some more.
        </Text>
      </TextField>
    </Form>
  );
}

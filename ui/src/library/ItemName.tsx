import { useState } from "react";
import { Button, Form, Input, TextField } from "react-aria-components";

import { MAX_NAME } from "./useNames";

interface Props {
  /** The name it has now; "" if it is called by its filters. */
  name: string;
  /** What it is called without a name. */
  usual: string;
  rename: (name: string) => void;
  close: () => void;
}

/** Gives a cached query a name of its own. */
export function ItemName({ name, usual, rename, close }: Props) {
  const [text, setText] = useState(name);
  return (
    <Form
      className="cached-rename"
      onSubmit={(event) => {
        event.preventDefault();
        rename(text);
        close();
      }}
    >
      <TextField
        className="text-field"
        aria-label={`Name of ${usual}`}
        value={text}
        onChange={setText}
        autoFocus
      >
        <Input
          className="input"
          placeholder={usual}
          maxLength={MAX_NAME}
          autoComplete="off"
          spellCheck="false"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            // It ends the renaming, and cancels no run.
            event.preventDefault();
            close();
          }}
          data-testid="cached-name-input"
        />
      </TextField>
      <Button className="button small" type="submit" data-testid="cached-name-set">
        Set
      </Button>
    </Form>
  );
}

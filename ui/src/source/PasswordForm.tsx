import { useState } from "react";
import { Button, Form, Input, Label, TextField } from "react-aria-components";

import type { SourceProfile } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { useAttempt } from "./useAttempt";
import type { Connect } from "./useSource";

interface Props {
  profile: SourceProfile;
  /** How the source is called. */
  name: string;
  connect: Connect;
  close: () => void;
}

/** Asks for the password of the active source; needed at every start, since it is not stored. */
export function PasswordForm({ profile, name, connect, close }: Props) {
  const [password, setPassword] = useState("");
  const { busy, failure, start } = useAttempt(connect, close);
  return (
    <Form
      className="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (password !== "") start(profile, password);
      }}
    >
      <TextField className="text-field" type="password" value={password} onChange={setPassword} autoFocus>
        <Label className="field-label">Password for {name} (not stored)</Label>
        <Input className="input" autoComplete="off" data-testid="password-input" />
      </TextField>
      {failure && <FailureNote failure={failure} testId="password-failure" />}
      <div className="buttons">
        <Button
          className="button primary"
          type="submit"
          aria-disabled={busy || password === ""}
          data-testid="password-connect"
        >
          {busy ? "Connecting" : "Connect"}
        </Button>
      </div>
    </Form>
  );
}

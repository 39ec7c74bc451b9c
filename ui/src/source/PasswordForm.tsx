import { useState } from "react";
import { Button, Form } from "react-aria-components";

import type { SavedSource } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { draftOf, editSource, secretsOf } from "./entered";
import { KeychainTick } from "./KeychainTick";
import { SecretField } from "./SecretField";
import { useAttempt } from "./useAttempt";
import type { Connect } from "./useSource";

interface Props {
  source: SavedSource;
  /** The source with its hosts and its user, as a person reads it. */
  name: string;
  hasKeychain: boolean;
  connect: Connect;
  close: () => void;
}

/** Asks for the password of the source in use, which is needed at every start unless the keychain has it. */
export function PasswordForm({ source, name, hasKeychain, connect, close }: Props) {
  const start = editSource(source);
  const [password, setPassword] = useState("");
  const [isKept, setKept] = useState(start.entered.isKept);
  const attempt = useAttempt();
  const entered = { ...start.entered, password, isKept };
  return (
    <Form
      className="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (password === "") return;
        attempt.start((signal) => connect(draftOf(start, entered), secretsOf(entered), signal), close);
      }}
    >
      {/* A name says which of several desks this is; the hosts and the user say where the password goes. */}
      <p>
        {source.name}: <span className="faint">{name}</span>
      </p>
      <SecretField
        label={`Password for ${source.name}`}
        hint=""
        value={password}
        testId="password-input"
        autoFocus
        onChange={setPassword}
      />
      <KeychainTick hasKeychain={hasKeychain} isKept={isKept} onChange={setKept} />
      {attempt.failure && <FailureNote failure={attempt.failure} testId="password-failure" />}
      <div className="buttons">
        <Button
          className="button primary"
          type="submit"
          aria-disabled={attempt.busy || password === ""}
          data-testid="password-connect"
        >
          {attempt.busy ? "Connecting" : "Connect"}
        </Button>
      </div>
    </Form>
  );
}

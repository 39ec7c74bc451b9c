import {
  Button,
  Disclosure,
  DisclosurePanel,
  Heading,
  Input,
  Label,
  Text,
  TextField,
} from "react-aria-components";

import { Icon } from "../controls/icons";
import { ConnectionFields } from "./ConnectionFields";
import type { ConnectionEditor } from "./useConnection";

interface Props {
  connection: ConnectionEditor;
  /** The text was refused and has not been changed since. */
  isRefused: boolean;
  /** The text, or a field of the form, has been left: what is in it is meant. */
  commit: () => void;
}

/** The connection string, and the same as a form for those who have no string. */
export function ConnectionSection({ connection, isRefused, commit }: Props) {
  const { form, problems, warnings } = connection;
  // Every problem is shown here, since the form may be closed.
  const isWrong = problems.length > 0;
  return (
    <>
      <TextField
        className="text-field"
        value={connection.uri}
        onChange={connection.typeText}
        onBlur={commit}
        isInvalid={isRefused || isWrong}
        autoFocus
      >
        <Label className="field-label">Connection string</Label>
        <Input
          className="input"
          placeholder="mongodb://user@host:27017/?tls=true"
          autoComplete="off"
          spellCheck="false"
          data-testid="source-uri"
        />
        {isWrong && (
          <Text slot="description" className="field-error" data-testid="source-uri-problem">
            {problems.map(({ message }) => message).join(" ")}
          </Text>
        )}
      </TextField>
      <div role="status" className="source-notes">
        {connection.tookSecrets && (
          <p className="faint" data-testid="source-took-secrets">
            The password was moved from the connection string to its own field, so that it is not stored with
            the source.
          </p>
        )}
        {connection.cleared !== null && (
          <p className="faint" data-testid="source-cleared-secrets">
            The password of the former {connection.cleared} was cleared.
          </p>
        )}
        {warnings.map(({ field, message }) => (
          <p key={field + message} className="source-warning">
            {message}
          </p>
        ))}
      </div>
      <Disclosure className="source-more">
        <Heading level={3} className="source-more-head">
          <Button slot="trigger" className="link" data-testid="source-form-section">
            <Icon name="chevron" size={12} /> Connection as a form
          </Button>
        </Heading>
        <DisclosurePanel className="source-more-body">
          {/* The fields report it too when one of them is left. */}
          <div onBlur={commit}>
            <ConnectionFields form={form} problems={problems} change={connection.changeForm} />
          </div>
        </DisclosurePanel>
      </Disclosure>
    </>
  );
}

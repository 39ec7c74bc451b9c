import { useEffect, useRef, useState } from "react";
import {
  Button,
  Dialog,
  Form,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  Text,
  TextArea,
  TextField,
} from "react-aria-components";

import type { Failure, Proposal, SourceProfile } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { cancellable } from "./attempts";
import { hasPassword } from "./password";
import { ProposalView } from "./ProposalView";
import { type Ask, useAttempt } from "./useAttempt";
import type { Connect } from "./useSource";

interface Props {
  profile: SourceProfile | null;
  connect: Connect;
  /** A run is in progress; connecting to a different source ends it. */
  running: boolean;
  /** The time zone rules that are in force. */
  zoneRules: string;
  close: () => void;
}

const EMPTY: SourceProfile = { uri: "", database: "", collection: "", mapping: "" };

/** What the dialog sends, field by field. */
interface Entered extends SourceProfile {
  password: string;
}

/** The field that has to be corrected; null if the failure is about none of the dialog. */
function fieldOf(failure: Failure | null): keyof Entered | null {
  switch (failure?.target?.field) {
    case "connection_string":
      return "uri";
    case "password":
    case "database":
    case "collection":
    case "mapping":
      return failure.target.field;
    default:
      return null;
  }
}

/** Where the documents are. What was typed stays if connecting fails. */
export function SourceDialog({ profile, connect, running, zoneRules, close }: Props) {
  const [draft, setDraft] = useState<SourceProfile>(profile ?? EMPTY);
  const [password, setPassword] = useState("");
  const connecting = useAttempt(connect, close);
  const backend = useBackend();
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const propose: Ask<Proposal> = (profile, password, signal) =>
    cancellable(backend, signal, (id) => backend.proposeMapping(id, profile, password));
  const proposing = useAttempt(propose, (found) => {
    setProposal(found);
    setDraft((now) => ({ ...now, mapping: JSON.stringify(found.mapping, null, 2) }));
  });
  const busy = connecting.busy;
  const failure = connecting.failure ?? proposing.failure;
  const canPropose = [draft.uri, draft.database, draft.collection].every((text) => text.trim() !== "");
  // What was refused: changed text counts as right until it has been tried.
  const [tried, setTried] = useState<Entered | null>(null);
  const refused = fieldOf(failure);
  const isRefused = (name: keyof Entered) =>
    name === refused && { ...draft, password }[name] === tried?.[name];
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (failure !== null) fields.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [failure]);
  const field = (name: keyof SourceProfile, label: string, placeholder: string) => (
    <TextField
      className="text-field"
      value={draft[name]}
      onChange={(text) => setDraft({ ...draft, [name]: text })}
      isInvalid={isRefused(name)}
      autoFocus={name === "uri"}
    >
      <Label className="field-label">{label}</Label>
      <Input className="input" placeholder={placeholder} spellCheck="false" data-testid={`source-${name}`} />
      {name === "uri" && hasPassword(draft.uri) && (
        <Text slot="description" className="field-error">
          Enter the password in its own field so that it is not stored.
        </Text>
      )}
    </TextField>
  );
  return (
    <ModalOverlay className="overlay" isOpen onOpenChange={(open) => !open && close()}>
      <Modal className="modal">
        <Dialog className="dialog source-dialog" data-testid="source-dialog">
          <Heading slot="title" className="dialog-title">
            Source
          </Heading>
          <Form
            className="dialog-form"
            // With native validation, a text that the backend has refused would block sending its correction.
            validationBehavior="aria"
            onSubmit={(event) => {
              event.preventDefault();
              if (draft.uri.trim() === "") return;
              setTried({ ...draft, password });
              connecting.start(draft, password);
            }}
          >
            <div className="source-fields" ref={fields}>
              {field(
                "uri",
                "Connection string (without the password)",
                "mongodb://user@host:27017/?tls=true",
              )}
              <TextField
                className="text-field"
                value={password}
                onChange={setPassword}
                isInvalid={isRefused("password")}
                type="password"
              >
                <Label className="field-label">Password (not stored)</Label>
                <Input className="input" autoComplete="off" data-testid="source-password" />
              </TextField>
              <div className="two-fields">
                {field("database", "Database", "trading")}
                {field("collection", "Collection", "messages")}
              </div>
              <TextField
                className="text-field"
                value={draft.mapping}
                onChange={(text) => setDraft({ ...draft, mapping: text })}
                isInvalid={isRefused("mapping")}
              >
                <div className="mapping-head">
                  <Label className="field-label">Mapping as JSON (leave blank for the defaults)</Label>
                  <Button
                    className="button small"
                    aria-disabled={!canPropose || proposing.busy}
                    onPress={() => {
                      if (!canPropose) return;
                      setTried({ ...draft, password });
                      proposing.start(draft, password);
                    }}
                    data-testid="source-propose"
                  >
                    {proposing.busy ? "Reading documents" : "Propose from documents"}
                  </Button>
                </div>
                <TextArea
                  className="input code"
                  rows={9}
                  spellCheck="false"
                  placeholder={
                    '{"version": 1, "day_zone": "Europe/London", "filters": {"product": "instrument.name"}}'
                  }
                  data-testid="source-mapping"
                />
              </TextField>
              {proposal && <ProposalView proposal={proposal} />}
              <p className="faint" data-testid="zone-rules">
                Time zone rules: {zoneRules}
              </p>
              {running && (
                <p className="faint">
                  A fetch is running. Connecting to a different source stops it; everything stored so far
                  stays in the cache.
                </p>
              )}
            </div>
            {failure && <FailureNote failure={failure} testId="source-failure" />}
            <div className="buttons">
              <Button className="button" onPress={close} data-testid="source-close">
                {busy ? "Cancel" : "Close"}
              </Button>
              <Button
                className="button primary"
                type="submit"
                aria-disabled={busy || draft.uri.trim() === ""}
                data-testid="source-connect"
              >
                {busy ? "Connecting" : "Connect"}
              </Button>
            </div>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Button, Form, Heading } from "react-aria-components";

import type { SourceView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { DatabaseTeamDialog } from "../guide/DatabaseTeamDialog";
import { ColourField } from "./ColourField";
import { ConnectionSection } from "./ConnectionSection";
import { canRead, type FormStart, secretHint, usualName } from "./entered";
import { DiscardQuestion } from "./DiscardQuestion";
import { MappingSection } from "./MappingSection";
import { NameField } from "./NameField";
import { PlaceFields } from "./PlaceFields";
import { SecretFields } from "./SecretFields";
import { TestView } from "./TestView";
import type { SourceActions } from "./useSource";
import { useSourceForm } from "./useSourceForm";

interface Props {
  start: FormStart;
  /** The part to begin with, if not the connection string. */
  section: string | null;
  view: SourceView;
  actions: Pick<SourceActions, "connect" | "save">;
  /** A run is in progress; connecting to a different source ends it. */
  running: boolean;
  done: (how: "connected" | "saved") => void;
  close: () => void;
  /** Set to what Escape does. */
  escapeRef: RefObject<(() => void) | null>;
}

/** Where the documents of a source are, and how they are read. */
export function SourceForm({ start, section, view, actions, running, done, close, escapeRef }: Props) {
  const state = useSourceForm(start, actions, done);
  const { entered, connection, doing, failure, isRefused, change, test } = state;
  const busy = doing !== null;
  const isBlank = entered.uri.trim() === "";
  const [isGuideOpen, setIsGuideOpen] = useState(false);
  const fields = useRef<HTMLDivElement>(null);
  const lastFailure = state.attempt.failure;
  useEffect(() => {
    // Once: a failure that is shown again, since a change was undone, must not move the focus.
    if (lastFailure !== null) fields.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [lastFailure]);
  useEffect(() => {
    if (section === null) return;
    fields.current?.querySelector<HTMLElement>(`[data-section="${section}"]`)?.focus();
  }, [section]);
  const [isAsking, setAsking] = useState(false);
  const leave = () => {
    if (busy) state.attempt.stop();
    else if (state.isChanged) setAsking(true);
    else close();
  };
  // While it asks, Escape keeps what was typed: two presses must not lose it.
  const escape = isAsking ? () => setAsking(false) : leave;
  useEffect(() => {
    escapeRef.current = escape;
    return () => {
      escapeRef.current = null;
    };
  });
  const send = (how: () => void) => () => {
    if (!busy && !isBlank) how();
  };
  const button = (label: ReactNode, how: () => void, testId: string) => (
    <Button className="button" aria-disabled={busy || isBlank} onPress={send(how)} data-testid={testId}>
      {label}
    </Button>
  );
  return (
    <>
      <Heading slot="title" className="dialog-title">
        {start.id === null ? "New source" : `Source ${start.origin?.name ?? ""}`}
      </Heading>
      <Form
        className="dialog-form"
        // With native validation, a text that the backend has refused would block sending its correction.
        validationBehavior="aria"
        onSubmit={(event) => {
          event.preventDefault();
          send(state.connect)();
        }}
      >
        <div className="source-fields" ref={fields}>
          <ConnectionSection
            connection={connection}
            isRefused={isRefused("uri")}
            commit={state.commitConnection}
          />
          <SecretFields
            entered={entered}
            form={connection.form}
            hint={secretHint(start.origin, entered.uri)}
            hasKeychain={view.has_keychain}
            isRefused={isRefused("password")}
            change={change}
          />
          <PlaceFields
            entered={entered}
            asked={state.asked}
            canList={connection.isSettled && !isBlank && !busy}
            isRefused={isRefused}
            change={change}
            commit={state.commitPlace}
          />
          <div className="two-fields source-looks">
            <NameField
              value={entered.name}
              usual={usualName(entered)}
              onChange={(name) => change({ name })}
            />
            <ColourField value={entered.colour} onChange={(colour) => change({ colour })} />
          </div>
          <MappingSection
            text={entered.mapping}
            onChange={state.changeMapping}
            proposing={state.proposing}
            canPropose={canRead(entered) && !busy}
            propose={state.propose}
            failure={isRefused("mapping") ? failure : null}
            changes={state.mappingChanges}
          />
          <p className="faint" data-testid="zone-rules">
            Time zone rules: {view.zone_rules}
          </p>
          {running && (
            <p className="faint">
              A fetch is running. Connecting to a different source stops it; everything stored so far stays in
              the cache.
            </p>
          )}
        </div>
        {test.steps !== null && failure === null && (
          <TestView steps={test.steps} ended={test.ended} busy={doing === "testing"} close={test.clear} />
        )}
        {failure && (
          <FailureNote
            failure={failure}
            testId="source-failure"
            action={state.canSaveAnyway ? { label: "Save anyway", press: send(state.save) } : undefined}
          />
        )}
        {isAsking ? (
          <DiscardQuestion discard={close} keep={() => setAsking(false)} />
        ) : (
          <div className="buttons">
            {button(doing === "testing" ? "Testing" : "Test", state.runTest, "source-test")}
            <Button className="button quiet" onPress={() => setIsGuideOpen(true)} data-testid="source-guide">
              What a database team may ask
            </Button>
            <span className="spacer" />
            <Button className="button" onPress={leave} data-testid="source-close">
              {busy ? "Cancel" : "Close"}
            </Button>
            {button(doing === "saving" ? "Saving" : "Save", state.save, "source-save")}
            <Button
              className="button primary"
              type="submit"
              aria-disabled={busy || isBlank}
              data-testid="source-connect"
            >
              {doing === "connecting" ? "Connecting" : "Connect"}
            </Button>
          </div>
        )}
      </Form>
      {isGuideOpen && <DatabaseTeamDialog close={() => setIsGuideOpen(false)} />}
    </>
  );
}

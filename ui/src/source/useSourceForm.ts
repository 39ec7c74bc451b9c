import { useCallback, useRef, useState } from "react";

import type { Failure, SourceDraft, TypedSecrets } from "../backend";
import {
  canRead,
  draftOf,
  type Entered,
  type FormStart,
  isChanged,
  placeKey,
  refusedField,
  type RefusedField,
  secretsOf,
} from "./entered";
import type { Place } from "./PlaceFields";
import { type Attempt, useAttempt } from "./useAttempt";
import { type ConnectionEditor, useConnection } from "./useConnection";
import type { Asked } from "./useListing";
import { type Proposing, useProposal } from "./useProposal";
import type { SourceActions } from "./useSource";
import { type Test, useTest } from "./useTest";

/** What the form is doing. */
export type Doing = "connecting" | "saving" | "testing" | null;

export interface SourceFormState {
  entered: Entered;
  /** Something was typed or chosen that has not been saved. */
  isChanged: boolean;
  asked: Asked;
  connection: ConnectionEditor;
  attempt: Attempt;
  doing: Doing;
  failure: Failure | null;
  /** Connecting failed, which does not stand in the way of saving. */
  canSaveAnyway: boolean;
  test: Test;
  proposing: Proposing;
  /** Whether the field was refused and has not been changed since. */
  isRefused: (field: RefusedField) => boolean;
  change: (part: Partial<Entered>) => void;
  commitPlace: (place: Place) => void;
  propose: () => void;
  connect: () => void;
  save: () => void;
  runTest: () => void;
}

/** The state of the form of a source. What was typed stays if it is refused. */
export function useSourceForm(
  start: FormStart,
  actions: Pick<SourceActions, "connect" | "save">,
  done: (how: "connected" | "saved") => void,
): SourceFormState {
  const [rest, setRest] = useState(start.entered);
  const take = useCallback((secrets: TypedSecrets) => {
    setRest((now) => withSecrets(now, secrets));
  }, []);
  const connection = useConnection(start.entered.uri, take);
  const attempt = useAttempt();
  const [doing, setDoing] = useState<Exclude<Doing, null>>("connecting");
  const test = useTest();
  const proposing = useProposal();
  const entered = { ...rest, uri: connection.uri };
  // What was sent last: changed text counts as right until it has been tried.
  const [tried, setTried] = useState<Entered | null>(null);
  const mapping = useRef(entered.mapping);
  // The place whose documents were read last. A failure there is not shown for a different place.
  const currentKey = placeKey(entered, secretsOf(entered));
  const [readAt, setReadAt] = useState(currentKey);
  // The place that was tested last.
  const [testedAt, setTestedAt] = useState(currentKey);

  const change = useCallback((part: Partial<Entered>) => {
    if (part.mapping !== undefined) mapping.current = part.mapping;
    setRest((now) => ({ ...now, ...part }));
  }, []);

  const askedWith = (sent: Entered): Asked => ({ draft: draftOf(start, sent), secrets: secretsOf(sent) });
  /** What is sent: the text of the connection string may have been typed just now. */
  const settle = async (place: Partial<Place> = {}): Promise<Asked> => {
    const { uri, secrets } = await connection.settle();
    const sent = withSecrets({ ...entered, ...place, uri }, secrets);
    setTried(sent);
    return askedWith(sent);
  };
  const begin = (what: Exclude<Doing, null>) => {
    setDoing(what);
    // Connecting waits for it.
    if (what !== "connecting") proposing.stop();
    test.clear();
  };
  /** A new source without a mapping gets the one that its documents suggest: the defaults fit few of them. */
  const proposedFor = async (asked: Asked, signal: AbortSignal): Promise<SourceDraft> => {
    const { draft } = asked;
    const isWanted = start.id === null && draft.profile.mapping.trim() === "" && canRead(draft.profile);
    const found = isWanted ? await proposing.wait(asked, signal) : null;
    if (found === null) return draft;
    change({ mapping: found });
    return { ...draft, profile: { ...draft.profile, mapping: found } };
  };
  /** Takes over a proposed mapping, unless another one has been typed meanwhile. */
  const takeOver = () => {
    const before = mapping.current;
    return (proposed: string) => {
      if (mapping.current === before) change({ mapping: proposed });
    };
  };

  const isRefused = (field: RefusedField) =>
    field === refusedField(attempt.failure) && tried !== null && entered[field] === tried[field];
  // A failure goes with what it was about, however that was changed: typed, or chosen from a list.
  const about = refusedField(attempt.failure);
  const failure = about === null || isRefused(about) ? attempt.failure : null;

  return {
    entered,
    isChanged: isChanged(start, entered, connection.isEdited),
    asked: askedWith(entered),
    connection,
    attempt,
    doing: attempt.busy ? doing : null,
    failure,
    canSaveAnyway: failure !== null && doing === "connecting",
    // A test of a different place, or as a different user, says nothing of this one.
    test: testedAt === currentKey || attempt.busy ? test : { ...test, steps: null },
    proposing: readAt === currentKey ? proposing : { ...proposing, failure: null },
    isRefused,
    change,
    commitPlace(place) {
      const next = { ...entered, ...place };
      if (!canRead(next) || mapping.current.trim() !== "" || attempt.busy) return;
      const key = placeKey(next, secretsOf(next));
      setReadAt(key);
      proposing.startSoon(key, () => settle(place), takeOver());
    },
    propose() {
      setReadAt(currentKey);
      proposing.start(settle, takeOver());
    },
    connect() {
      begin("connecting");
      attempt.start(
        async (signal) => {
          const asked = await settle();
          signal.throwIfAborted();
          await actions.connect(await proposedFor(asked, signal), asked.secrets, signal);
        },
        () => done("connected"),
      );
    },
    save() {
      begin("saving");
      attempt.start(
        async () => {
          const { draft, secrets } = await settle();
          await actions.save(draft, secrets);
        },
        () => done("saved"),
      );
    },
    runTest() {
      begin("testing");
      test.start(attempt, async () => {
        const asked = await settle();
        setTestedAt(placeKey(asked.draft.profile, asked.secrets));
        return asked;
      });
    },
  };
}

function withSecrets(entered: Entered, found: TypedSecrets): Entered {
  return {
    ...entered,
    password: found.password ?? entered.password,
    passphrase: found.passphrase ?? entered.passphrase,
    proxyPassword: found.proxy_password ?? entered.proxyPassword,
  };
}

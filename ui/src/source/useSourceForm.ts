import { type RefObject, useCallback, useRef, useState } from "react";

import type { Failure, SourceDraft, SourceProfile } from "../backend";
import {
  canRead,
  draftOf,
  type Entered,
  type FormStart,
  isChanged,
  placeKey,
  refusedField,
  type RefusedField,
  SECRETS,
  secretsAfter,
  secretsOf,
} from "./entered";
import type { Place } from "./PlaceFields";
import { isOutdated, placeOf, type Taken, typedMapping, withoutOutdated } from "./proposed";
import { type Attempt, useAttempt } from "./useAttempt";
import { type ConnectionEditor, type TextRead, useConnection } from "./useConnection";
import type { Asked } from "./useListing";
import { type Found, type Proposing, useProposal } from "./useProposal";
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
  /** Resolves once the changes of the mapping's parts are in its text. */
  mappingChanges: RefObject<Promise<void>>;
  attempt: Attempt;
  doing: Doing;
  failure: Failure | null;
  /** Connecting failed, which does not stand in the way of saving. */
  canSaveAnyway: boolean;
  test: Test;
  proposing: Proposing;
  /** Whether the field was refused and has not been changed since. */
  isRefused: (field: RefusedField) => boolean;
  change: (part: Partial<Omit<Entered, "mapping">>) => void;
  changeMapping: (mapping: string) => void;
  commitPlace: (place: Place) => void;
  /** The connection string, or a field of its form, has been left. */
  commitConnection: () => void;
  propose: () => void;
  connect: () => void;
  save: () => void;
  runTest: () => void;
}

/** What was typed, and what of it was proposed. */
interface Held {
  entered: Entered;
  taken: Taken | null;
}

/** The state of the form of a source. What was typed stays if it is refused. */
export function useSourceForm(
  start: FormStart,
  actions: Pick<SourceActions, "connect" | "save">,
  done: (how: "connected" | "saved") => void,
): SourceFormState {
  const [held, setHeld] = useState<Held>({ entered: start.entered, taken: null });
  // What is typed while something is awaited counts as well.
  const latest = useRef(held);
  const hold = useCallback((next: Held) => {
    latest.current = next;
    setHeld(next);
  }, []);
  const change = useCallback(
    (part: Partial<Entered>) => {
      hold({ ...latest.current, entered: { ...latest.current.entered, ...part } });
    },
    [hold],
  );
  const take = useCallback(
    (read: TextRead) => {
      const before = latest.current.entered;
      const secrets = secretsAfter(before, read);
      // A database that was named stays: that of the text may be meant for the login alone.
      const database = before.database.trim() === "" ? (read.database ?? "") : before.database;
      change({ ...secrets, database });
      return SECRETS.some((name) => before[name] !== "" && secrets[name] === "");
    },
    [change],
  );
  const mappingChanges = useRef<Promise<void>>(Promise.resolve());
  const connection = useConnection(start.entered.uri, take);
  const changeMapping = (mapping: string) => {
    const { entered, taken } = latest.current;
    // What is left of a mapping that was proposed elsewhere is changed: none of it is the proposal any more.
    const stays = isOutdated({ ...entered, uri: connection.uri }, taken) ? null : taken;
    hold({ entered: { ...entered, mapping }, taken: stays });
  };
  const attempt = useAttempt();
  const [doing, setDoing] = useState<Exclude<Doing, null>>("connecting");
  const test = useTest();
  const proposing = useProposal();
  const entered = withoutOutdated({ ...held.entered, uri: connection.uri }, held.taken);
  // What was sent last: changed text counts as right until it has been tried.
  const [tried, setTried] = useState<Entered | null>(null);
  // The place whose documents were read last. A failure there is not shown for a different place.
  const currentKey = placeKey(entered, secretsOf(entered));
  const [readAt, setReadAt] = useState(currentKey);
  // The place that was tested last.
  const [testedAt, setTestedAt] = useState(currentKey);

  const askedWith = (sent: Entered): Asked => ({ draft: draftOf(start, sent), secrets: secretsOf(sent) });
  /** What was entered: the text of the connection string may have been typed just now. */
  const settle = async (part: Partial<Entered> = {}): Promise<Entered> => {
    const uri = await connection.settle();
    // A part may have been left by pressing the button that sends the form.
    await mappingChanges.current;
    const now = latest.current;
    const settled = { ...now.entered, uri, ...part };
    return part.mapping === undefined ? withoutOutdated(settled, now.taken) : settled;
  };
  /** What is sent: a failure is about that. */
  const send = async (): Promise<Asked> => {
    const sent = await settle();
    setTried(sent);
    return askedWith(sent);
  };
  const begin = (what: Exclude<Doing, null>) => {
    setDoing(what);
    // Connecting waits for it.
    if (what !== "connecting") proposing.stop();
    test.clear();
  };
  const holdFound = ({ mapping, place }: Found, typed: string) => {
    const taken: Taken = { mapping, typed, place };
    hold({ entered: { ...latest.current.entered, mapping }, taken });
  };
  /**
   * A new source without a mapping gets the one that its documents suggest: the defaults fit few of them. So does one
   * whose proposed mapping belongs to a different place.
   */
  const proposedFor = async (asked: Asked, signal: AbortSignal): Promise<SourceDraft> => {
    const { draft, secrets } = asked;
    const { profile } = draft;
    const { entered, taken } = latest.current;
    const isNew = start.id === null && profile.mapping.trim() === "";
    const isWanted = isNew || isOutdated({ ...profile, mapping: entered.mapping }, taken);
    const found = isWanted && canRead(profile) ? await proposing.wait({ draft, secrets }, signal) : null;
    if (found === null) return draft;
    holdFound(found, profile.mapping);
    setTried((sent) => sent && { ...sent, mapping: found.mapping });
    return { ...draft, profile: { ...profile, mapping: found.mapping } };
  };
  /** What to propose with, and what takes over a proposed mapping unless another one has been typed meanwhile. */
  const replacing = (place: Partial<Place> = {}) => {
    const before = latest.current.entered.mapping;
    // The engine changes nothing that is in the mapping, so what was merely proposed is not sent.
    const mapping = typedMapping(before, latest.current.taken);
    return {
      settle: async () => askedWith(await settle({ ...place, mapping })),
      done: (found: Found) => {
        if (latest.current.entered.mapping === before) holdFound(found, mapping);
      },
    };
  };
  /** Proposes for a place that is meant, unless there is a mapping that somebody typed. */
  const proposeSoon = (profile: SourceProfile, place: Partial<Place> = {}) => {
    if (!canRead(profile) || attempt.busy) return;
    const key = placeKey(profile, secretsOf(latest.current.entered));
    setReadAt(key);
    const { settle, done } = replacing(place);
    proposing.startSoon(key, settle, done);
  };

  const about = refusedField(attempt.failure);
  // A failure is about what was sent. It is hidden once the place, the user or the password is a different one.
  const isOfThis =
    tried !== null &&
    placeKey(tried, secretsOf(tried)) === currentKey &&
    (about === null || entered[about] === tried[about]);
  const failure = isOfThis ? attempt.failure : null;
  const isRefused = (field: RefusedField) => failure !== null && field === about;

  return {
    entered,
    isChanged: isChanged(start, entered, connection.isEdited),
    asked: askedWith(entered),
    connection,
    mappingChanges,
    attempt,
    doing: attempt.busy ? doing : null,
    failure,
    canSaveAnyway: failure !== null && doing === "connecting",
    // A test of a different place, or as a different user, says nothing of this one.
    test: testedAt === currentKey || attempt.busy ? test : { ...test, steps: null },
    proposing: {
      ...proposing,
      // What documents say of one place must not read as if it were about another.
      proposal: proposing.place === placeOf(entered) ? proposing.proposal : null,
      failure: readAt === currentKey ? proposing.failure : null,
    },
    isRefused,
    change,
    changeMapping,
    commitPlace(place) {
      const { entered: now, taken } = latest.current;
      const next = { ...now, ...place, uri: connection.uri };
      if (withoutOutdated(next, taken).mapping.trim() === "" || isOutdated(next, taken)) {
        proposeSoon(next, place);
      }
    },
    commitConnection() {
      const propose = (uri: string) => {
        const { entered: now, taken } = latest.current;
        const next = { ...now, uri };
        if (isOutdated(next, taken)) proposeSoon(next);
      };
      // While somebody types, a failure to read the text is not worth a word: sending it says what is wrong.
      void connection.settle().then(propose, () => undefined);
    },
    propose() {
      setReadAt(currentKey);
      const { settle, done } = replacing();
      proposing.start(settle, done);
    },
    connect() {
      begin("connecting");
      attempt.start(
        async (signal) => {
          const asked = await send();
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
          const { draft, secrets } = await send();
          await actions.save(draft, secrets);
        },
        () => done("saved"),
      );
    },
    runTest() {
      begin("testing");
      test.start(attempt, async () => {
        const asked = await send();
        setTestedAt(placeKey(asked.draft.profile, asked.secrets));
        return asked;
      });
    },
  };
}

import { useCallback, useEffect, useRef, useState } from "react";

import type { ConnectionDraft, ConnectionEdit, ConnectionForm, FieldNote, TypedSecrets } from "../backend";
import { useBackend } from "../backend/context";

/** The connection string as text and as a form. The backend says what follows from a change of either. */
export interface ConnectionEditor {
  uri: string;
  /** Null if the text cannot be read as a form. */
  form: ConnectionForm | null;
  problems: readonly FieldNote[];
  warnings: readonly FieldNote[];
  /** Secrets were found in the text and are now in their own fields. */
  tookSecrets: boolean;
  /** Secrets that belonged to a different server or user were cleared, since the text was replaced. */
  cleared: Former | null;
  /** The backend has seen the text as it is now. */
  isSettled: boolean;
  /** Somebody has typed in the text or in the form. */
  isEdited: boolean;
  typeText: (text: string) => void;
  changeForm: (part: Partial<ConnectionForm>) => void;
  /** Has the text read now, and returns it without secrets. */
  settle: () => Promise<string>;
}

/** What of the connection string was replaced. */
export type Former = "server" | "user";

/** What a reading of the text says about the fields beside it. */
export interface TextRead {
  /** The database that is named in it. */
  database: string | null;
  /** The secrets that were in the text. */
  found: TypedSecrets;
  /** What the others were meant for, if it was replaced: they must not be sent to what took its place. */
  former: Former | null;
}

type State = Pick<
  ConnectionEditor,
  "uri" | "form" | "problems" | "warnings" | "tookSecrets" | "cleared" | "isSettled" | "isEdited"
>;

/** Text that is pasted is read after this time, so that what is shown does not change under the paste itself. */
const PASTE_MS = 50;

function secretsIn({ password, passphrase, proxy_password }: ConnectionDraft): TypedSecrets {
  return { password, passphrase, proxy_password };
}

/** A whole connection string that was put among the hosts; null if there is none. */
function stringIn(hosts: string | undefined): string | null {
  return hosts === undefined ? null : (/mongodb(?:\+srv)?:\/\/.*$/is.exec(hosts)?.[0].trim() ?? null);
}

/** The form that the backend returns, without disturbing what is being typed in it. */
function followed(found: ConnectionForm | null, typed: Partial<ConnectionForm>): ConnectionForm | null {
  // A user and a password do not belong among the hosts: the backend has moved them.
  if (found !== null && typed.hosts?.includes("@")) return found;
  return found && { ...found, ...typed };
}

/** Equal for the same hosts, however they are written: the form keeps spaces that the text has not. */
function serverOf({ hosts }: ConnectionForm): string {
  const names = hosts.split(",").map((host) => host.trim().toLowerCase());
  return names
    .filter((name) => name !== "")
    .sort()
    .join(",");
}

/** What is different between two readings of the text. */
function replaced(before: ConnectionForm | null, now: ConnectionForm | null): Former | null {
  if (before === null || now === null) return null;
  if (serverOf(before) !== serverOf(now)) return "server";
  // Where no user was named, none was replaced: a password may be typed before its user.
  return before.user.trim() !== "" && before.user.trim() !== now.user.trim() ? "user" : null;
}

/**
 * Edits a connection string. `take` gets what a reading of it says about the fields beside it, and returns whether it
 * has cleared any secrets.
 */
export function useConnection(first: string, take: (read: TextRead) => boolean): ConnectionEditor {
  const backend = useBackend();
  const [state, setState] = useState<State>({
    uri: first,
    form: null,
    problems: [],
    warnings: [],
    tookSecrets: false,
    cleared: null,
    isSettled: false,
    isEdited: false,
  });
  // The text as it is now, the number of the last change, and the reading of it that is planned.
  const text = useRef(first);
  const changes = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isRead = useRef(false);
  // The change of the form that the backend has not answered yet.
  const pending = useRef<Promise<string> | null>(null);
  // The last form that could be read and named a host: the secrets were typed for it.
  const known = useRef<ConnectionForm | null>(null);

  const ask = useCallback(
    async (edit: ConnectionEdit, typed: Partial<ConnectionForm>): Promise<string> => {
      clearTimeout(timer.current);
      changes.current += 1;
      const mine = changes.current;
      const found = await backend.editConnection(edit);
      const secrets = secretsIn(found);
      // A later change is read by itself.
      if (mine !== changes.current) return text.current;
      const isSecret = Object.values(secrets).some((secret) => secret !== null);
      // The fields of the form are changed one by one, by somebody who sees the password beside them.
      const former = edit.by === "text" ? replaced(known.current, found.form) : null;
      // Hosts are emptied to name different ones.
      if (found.form !== null && serverOf(found.form) !== "") known.current = found.form;
      text.current = found.uri;
      isRead.current = true;
      const hasCleared = take({ database: found.database, found: secrets, former });
      setState((now) => ({
        ...now,
        uri: found.uri,
        form: followed(found.form, typed),
        problems: found.problems,
        warnings: found.warnings,
        // Reading the same text again, now without its secrets, keeps the note about them.
        tookSecrets: isSecret || (now.tookSecrets && now.uri === found.uri),
        cleared: hasCleared ? former : now.uri === found.uri ? now.cleared : null,
        isSettled: true,
      }));
      return found.uri;
    },
    [backend, take],
  );

  const settle = useCallback((): Promise<string> => {
    if (pending.current !== null) return pending.current;
    if (isRead.current || text.current.trim() === "") return Promise.resolve(text.current);
    return ask({ by: "text", uri: text.current }, {});
  }, [ask]);

  /** While somebody types, a failure to read the text is not worth a word: sending it says what is wrong. */
  const settleQuietly = useCallback(() => void settle().catch(() => undefined), [settle]);

  const changeText = useCallback(
    (typed: string, isPasted: boolean) => {
      text.current = typed;
      changes.current += 1;
      isRead.current = false;
      pending.current = null;
      setState((now) => ({
        ...now,
        uri: typed,
        problems: [],
        warnings: [],
        tookSecrets: false,
        cleared: null,
        isSettled: false,
        isEdited: true,
      }));
      clearTimeout(timer.current);
      if (isPasted) timer.current = setTimeout(settleQuietly, PASTE_MS);
    },
    [settleQuietly],
  );
  const typeText = useCallback(
    // Typed text is read when its field is left: half of a password would be taken for the whole.
    (typed: string) => changeText(typed, typed.length - text.current.length > 1),
    [changeText],
  );

  const { form } = state;
  const changeForm = useCallback(
    (part: Partial<ConnectionForm>) => {
      if (form === null) return;
      const next = { ...form, ...part };
      const whole = stringIn(part.hosts);
      if (whole !== null) {
        // The text is changed instead, and the form follows it.
        changeText(whole, next.hosts.length - form.hosts.length > 1);
        setState((now) => ({ ...now, form: next }));
        return;
      }
      setState((now) => ({ ...now, form: next, isSettled: false, isEdited: true }));
      const asked = ask({ by: "form", form: next }, part);
      pending.current = asked;
      const answered = () => {
        if (pending.current === asked) pending.current = null;
      };
      void asked.then(answered, answered);
    },
    [ask, changeText, form],
  );

  // The text of a saved source is read at once, so that its form is there.
  useEffect(() => {
    settleQuietly();
    return () => clearTimeout(timer.current);
  }, [settleQuietly]);

  return { ...state, typeText, changeForm, settle };
}

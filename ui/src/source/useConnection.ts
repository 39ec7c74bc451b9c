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
  /** The backend has seen the text as it is now. */
  isSettled: boolean;
  /** Somebody has typed in the text or in the form. */
  isEdited: boolean;
  typeText: (text: string) => void;
  changeForm: (part: Partial<ConnectionForm>) => void;
  /** Has the text read now, and returns it without secrets, and the secrets that were in it. */
  settle: () => Promise<Settled>;
}

export interface Settled {
  uri: string;
  secrets: TypedSecrets;
}

type State = Pick<
  ConnectionEditor,
  "uri" | "form" | "problems" | "warnings" | "tookSecrets" | "isSettled" | "isEdited"
>;

/** Text that is pasted is read after this time, so that what is shown does not change under the paste itself. */
const PASTE_MS = 50;

const NO_SECRETS: TypedSecrets = { password: null, passphrase: null, proxy_password: null };

function secretsIn({ password, passphrase, proxy_password }: ConnectionDraft): TypedSecrets {
  return { password, passphrase, proxy_password };
}

/** The form that the backend returns, without disturbing what is being typed in it. */
function followed(found: ConnectionForm | null, typed: Partial<ConnectionForm>): ConnectionForm | null {
  // A user and a password do not belong among the hosts: the backend has moved them.
  if (found !== null && typed.hosts?.includes("@")) return found;
  return found && { ...found, ...typed };
}

/** Edits a connection string. `take` gets the secrets that were found in it. */
export function useConnection(first: string, take: (secrets: TypedSecrets) => void): ConnectionEditor {
  const backend = useBackend();
  const [state, setState] = useState<State>({
    uri: first,
    form: null,
    problems: [],
    warnings: [],
    tookSecrets: false,
    isSettled: false,
    isEdited: false,
  });
  // The text as it is now, the number of the last change, and the reading of it that is planned.
  const text = useRef(first);
  const changes = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isRead = useRef(false);

  const ask = useCallback(
    async (edit: ConnectionEdit, typed: Partial<ConnectionForm>): Promise<Settled> => {
      clearTimeout(timer.current);
      changes.current += 1;
      const mine = changes.current;
      const found = await backend.editConnection(edit);
      const secrets = secretsIn(found);
      // A later change is read by itself.
      if (mine !== changes.current) return { uri: text.current, secrets: NO_SECRETS };
      const isSecret = Object.values(secrets).some((secret) => secret !== null);
      text.current = found.uri;
      isRead.current = true;
      setState((now) => ({
        ...now,
        uri: found.uri,
        form: followed(found.form, typed),
        problems: found.problems,
        warnings: found.warnings,
        // Reading the same text again, now without its secrets, keeps the note about them.
        tookSecrets: isSecret || (now.tookSecrets && now.uri === found.uri),
        isSettled: true,
      }));
      if (isSecret) take(secrets);
      return { uri: found.uri, secrets };
    },
    [backend, take],
  );

  const settle = useCallback((): Promise<Settled> => {
    if (isRead.current || text.current.trim() === "") {
      return Promise.resolve({ uri: text.current, secrets: NO_SECRETS });
    }
    return ask({ by: "text", uri: text.current }, {});
  }, [ask]);

  /** While somebody types, a failure to read the text is not worth a word: sending it says what is wrong. */
  const settleQuietly = useCallback(() => void settle().catch(() => undefined), [settle]);

  const typeText = useCallback(
    (typed: string) => {
      // Typed text is read when its field is left: half of a password would be taken for the whole.
      const isPasted = typed.length - text.current.length > 1;
      text.current = typed;
      changes.current += 1;
      isRead.current = false;
      setState((now) => ({
        ...now,
        uri: typed,
        problems: [],
        warnings: [],
        tookSecrets: false,
        isSettled: false,
        isEdited: true,
      }));
      clearTimeout(timer.current);
      if (isPasted) timer.current = setTimeout(settleQuietly, PASTE_MS);
    },
    [settleQuietly],
  );

  const { form } = state;
  const changeForm = useCallback(
    (part: Partial<ConnectionForm>) => {
      if (form === null) return;
      const next = { ...form, ...part };
      setState((now) => ({ ...now, form: next, isSettled: false, isEdited: true }));
      void ask({ by: "form", form: next }, part).catch(() => undefined);
    },
    [ask, form],
  );

  // The text of a saved source is read at once, so that its form is there.
  useEffect(() => {
    settleQuietly();
    return () => clearTimeout(timer.current);
  }, [settleQuietly]);

  return { ...state, typeText, changeForm, settle };
}

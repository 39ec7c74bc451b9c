// What the form of a source contains, and what is sent of it.

import type {
  Failure,
  SavedSource,
  SourceColour,
  SourceDraft,
  SourceProfile,
  TypedSecrets,
} from "../backend";
import type { TextRead } from "./useConnection";

/** The fields of the form. */
export interface Entered extends SourceProfile {
  name: string;
  colour: SourceColour;
  password: string;
  passphrase: string;
  proxyPassword: string;
  /** Whether the secrets go to the keychain. */
  isKept: boolean;
}

/** How the form begins. */
export interface FormStart {
  /** The source that is edited; null for a new one. */
  id: string | null;
  /** The source whose secrets are used as long as none are typed: the edited or the duplicated one. */
  origin: SavedSource | null;
  entered: Entered;
}

/** What a failure is about, as a field of the form. */
export type RefusedField = "uri" | "password" | "database" | "collection" | "mapping";

const NO_SECRETS = { password: "", passphrase: "", proxyPassword: "" };

const NO_PROFILE: SourceProfile = { uri: "", database: "", collection: "", mapping: "" };

export function newSource(hasKeychain: boolean): FormStart {
  const entered = { ...NO_PROFILE, ...NO_SECRETS, name: "", colour: "grey" as const, isKept: hasKeychain };
  return { id: null, origin: null, entered };
}

export function editSource(source: SavedSource): FormStart {
  const { id, name, colour, profile, secrets } = source;
  const entered = { ...profile, ...NO_SECRETS, name, colour, isKept: secrets === "keychain" };
  return { id, origin: source, entered };
}

export function duplicateSource(source: SavedSource, sources: readonly SavedSource[]): FormStart {
  const start = editSource(source);
  const name = copyName(source.name, new Set(sources.map((other) => other.name)));
  return { ...start, id: null, entered: { ...start.entered, name } };
}

/** "desk copy", or "desk copy 2" if that is taken, since no two sources have the same name. */
export function copyName(name: string, taken: ReadonlySet<string>): string {
  const first = `${name} copy`;
  let copy = first;
  for (let count = 2; taken.has(copy); count += 1) copy = `${first} ${count}`;
  return copy;
}

export function draftOf({ id, origin }: FormStart, entered: Entered): SourceDraft {
  const { name, colour, uri, database, collection, mapping, isKept } = entered;
  const profile = { uri, database, collection, mapping };
  return { id, name, colour, profile, secrets_of: origin?.id ?? null, keep_secrets: isKept };
}

export function secretsOf({ password, passphrase, proxyPassword }: Entered): TypedSecrets {
  const typed = (text: string) => (text === "" ? null : text);
  return {
    password: typed(password),
    passphrase: typed(passphrase),
    proxy_password: typed(proxyPassword),
  };
}

/** The secrets among the fields. */
export const SECRETS = ["password", "passphrase", "proxyPassword"] as const;

/** The secrets after the connection string was read: those that were in it, and those that still belong to it. */
export function secretsAfter(entered: Entered, { found, former }: TextRead): typeof NO_SECRETS {
  const { password, passphrase, proxyPassword } = former === null ? entered : NO_SECRETS;
  return {
    password: found.password ?? password,
    passphrase: found.passphrase ?? passphrase,
    proxyPassword: found.proxy_password ?? proxyPassword,
  };
}

/** Whether a form holds more than it began with. A connection string that only the backend has reworded does not count. */
export function isChanged({ entered: before }: FormStart, now: Entered, isEdited: boolean): boolean {
  const { uri, ...rest } = now;
  const isOther = Object.entries(rest).some(([key, value]) => before[key as keyof Entered] !== value);
  return isOther || (isEdited && uri !== before.uri);
}

/** Equal only for the same collection, read by the same user. */
export function placeKey({ uri, database, collection }: SourceProfile, secrets: TypedSecrets): string {
  return JSON.stringify([uri, secrets, database, collection]);
}

/** What is shown in an empty password field while the source has a password already. */
export function secretHint(origin: SavedSource | null, uri: string): string {
  // The secrets belong to the connection string: with a different one they are not used.
  if (origin === null || origin.profile.uri !== uri) return "";
  return { none: "", memory: "Kept until Tidemark closes", keychain: "Kept in the keychain" }[origin.secrets];
}

/** What a source is called if its name is left blank. */
export function usualName({ database, collection }: Entered): string {
  const parts = [database, collection].map((part) => part.trim()).filter((part) => part !== "");
  return parts.length === 0 ? "database.collection" : parts.join(".");
}

/** Whether a collection is named that documents can be read from. */
export function canRead({ uri, database, collection }: SourceProfile): boolean {
  return [uri, database, collection].every((text) => text.trim() !== "");
}

/** The field that has to be corrected; null if the failure is about none of the form. */
export function refusedField(failure: Failure | null): RefusedField | null {
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

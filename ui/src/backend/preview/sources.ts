// The sources of the preview, and everything that is asked about one before it is used.

import type { Backend } from "..";
import type { Failure, SavedSource, SourceDraft, SourceProfile, SourceView, TypedSecrets } from "../types";
import { editConnection } from "./connection";
import { proposal } from "./proposal";
import { runSteps } from "./steps";
import { unreachable } from "./store";
import { wait } from "./wait";

function profile(host: string, database: string): SourceProfile {
  return {
    uri: `mongodb://desk@${host}.desk.example:27017/?tls=true`,
    database,
    collection: "messages",
    mapping: "",
  };
}

const FIRST: SavedSource[] = [
  {
    id: "1",
    name: "Gas desk, production",
    colour: "red",
    profile: profile("db1", "trading"),
    secrets: "keychain",
  },
  {
    id: "2",
    name: "Gas desk, test",
    colour: "green",
    profile: profile("test1", "trading"),
    secrets: "memory",
  },
  { id: "3", name: "archive.messages", colour: "grey", profile: profile("db9", "archive"), secrets: "none" },
];

function refusal(code: Failure["code"], message: string): Failure {
  return { code, message, next: "", cause: null, target: null };
}

export class PreviewSources {
  sources: SavedSource[];
  used: string | null;
  readonly cancelled = new Set<number>();
  #last = 3;

  constructor(isEmpty: boolean) {
    this.sources = isEmpty ? [] : FIRST;
    this.used = isEmpty ? null : "1";
  }

  get profile(): SourceProfile | null {
    return this.sources.find(({ id }) => id === this.used)?.profile ?? null;
  }

  save(draft: SourceDraft, typed: TypedSecrets): string {
    this.#last += 1;
    const id = draft.id ?? String(this.#last);
    const { database, collection } = draft.profile;
    const before = this.sources.find((source) => source.id === (draft.id ?? draft.secrets_of));
    const has = typed.password !== null || (before !== undefined && before.secrets !== "none");
    const saved: SavedSource = {
      id,
      name: draft.name.trim() === "" ? `${database}.${collection}` : draft.name.trim(),
      colour: draft.colour,
      profile: draft.profile,
      secrets: has ? (draft.keep_secrets ? "keychain" : "memory") : "none",
    };
    this.sources =
      draft.id === null
        ? [...this.sources, saved]
        : this.sources.map((source) => (source.id === id ? saved : source));
    return id;
  }
}

type Calls = Pick<
  Backend,
  | "connect"
  | "saveSource"
  | "useSource"
  | "deleteSource"
  | "trySample"
  | "testSource"
  | "listDatabases"
  | "listCollections"
  | "proposeMapping"
  | "cancelConnect"
  | "editConnection"
  | "changeMapping"
  | "chooseFile"
>;

/** The calls about sources. Calls `changed` when a different source may be in use. */
export function sourceCalls(
  held: PreviewSources,
  isOnline: () => boolean,
  view: () => SourceView,
  changed: () => void,
): Calls {
  /** Takes a while, as a server does. */
  async function answer<T>(id: number, ms: number, found: T): Promise<T> {
    await wait(ms);
    if (held.cancelled.has(id)) await Promise.reject(refusal("cancelled", "It was cancelled."));
    if (!isOnline()) await Promise.reject(unreachable());
    return found;
  }
  function switchTo(id: string | null): SourceView {
    held.used = id;
    changed();
    return view();
  }
  return {
    async connect(id, draft, secrets) {
      await answer(id, 400, null);
      return switchTo(held.save(draft, secrets));
    },
    saveSource(draft, secrets) {
      held.save(draft, secrets);
      return Promise.resolve(switchTo(held.used));
    },
    useSource: (id) => Promise.resolve(switchTo(id)),
    deleteSource(id) {
      held.sources = held.sources.filter((source) => source.id !== id);
      return Promise.resolve(switchTo(held.used === id ? null : held.used));
    },
    trySample() {
      const draft: SourceDraft = {
        id: null,
        name: "Sample desk",
        colour: "blue",
        profile: profile("sample", "desk"),
        secrets_of: null,
        keep_secrets: false,
      };
      const none = { password: null, passphrase: null, proxy_password: null };
      return Promise.resolve(switchTo(held.save(draft, none)));
    },
    testSource: (id, _draft, _secrets, onEvent) =>
      runSteps(isOnline(), unreachable(), () => held.cancelled.has(id), onEvent),
    listDatabases: (id) => answer(id, 500, ["archive", "reference", "trading"]),
    listCollections: (id) =>
      answer(id, 500, [
        { name: "messages", kind: "collection" as const, documents: 1_234_567 },
        { name: "messages_2024", kind: "time_series" as const, documents: 48_000 },
        { name: "open_trades", kind: "view" as const, documents: null },
      ]),
    proposeMapping: (id) => answer(id, 900, proposal),
    cancelConnect: (id) => Promise.resolve(void held.cancelled.add(id)),
    editConnection: (edit) => Promise.resolve(editConnection(edit)),
    changeMapping: (text) => Promise.resolve({ text, parts: [], problem: null }),
    chooseFile: () => Promise.resolve("~/certificates/desk.pem"),
  };
}

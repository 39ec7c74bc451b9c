// The description of a source, as in the list of cached queries, and its identity.

import type { Connection, SourceProfile } from "../backend";

interface Address {
  hosts: string[];
  user: string | null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The hosts and the user of a connection string, normalised as the backend does. */
function addressOf(uri: string): Address {
  const rest = uri.trim().replace(/^[a-z+]+:\/\//i, "");
  const authority = rest.replace(/[/?].*$/, "");
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : decoded(authority.slice(0, at).split(":")[0] ?? "");
  const hosts = authority
    .slice(at + 1)
    .split(",")
    .map((host) =>
      host
        .trim()
        .toLowerCase()
        .replace(/:27017$/, ""),
    )
    .filter((host) => host !== "");
  return { hosts: [...new Set(hosts)].sort(), user: user === "" ? null : user };
}

/** "trading.messages at db1 as ann" */
export function sourceText({ uri, database, collection }: SourceProfile): string {
  const { hosts, user } = addressOf(uri);
  return `${database}.${collection} at ${hosts.join(", ")}${user === null ? "" : ` as ${user}`}`;
}

/** Equal only for the same source and the same mapping. */
export function sourceKey(profile: SourceProfile | null): string {
  return JSON.stringify(profile && [profile.uri, profile.database, profile.collection, profile.mapping]);
}

/** Whether the connection string names a user, who then has a password. */
export function namesUser(profile: SourceProfile | null): boolean {
  return profile !== null && addressOf(profile.uri).user !== null;
}

/** Whether the source can be reached and needs a password or a different one. Passwords are never stored. */
export function needsPassword(connection: Connection, profile: SourceProfile | null): boolean {
  return connection.state === "offline" && connection.failure.code === "auth_failed" && namesUser(profile);
}

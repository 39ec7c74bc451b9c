// A source in the words of the list of cached queries, and what tells it from others.

import type { SourceProfile } from "../backend";

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

/** "trading.messages at db1 as desk" */
export function sourceText({ uri, database, collection }: SourceProfile): string {
  const { hosts, user } = addressOf(uri);
  return `${database}.${collection} at ${hosts.join(", ")}${user === null ? "" : ` as ${user}`}`;
}

/** The same for the same source and mapping alone. */
export function sourceKey(profile: SourceProfile | null): string {
  return JSON.stringify(profile && [profile.uri, profile.database, profile.collection, profile.mapping]);
}

/** Whether the connection string names a user, who then has a password. */
export function namesUser(profile: SourceProfile | null): boolean {
  return profile !== null && addressOf(profile.uri).user !== null;
}

// Passwords: whether the active source needs one, and whether one is being typed in the wrong place.

import type { Connection, SourceName } from "../backend";

/** Whether the source can be reached and needs a password or a different one. Passwords are never stored. */
export function needsPassword(connection: Connection, source: SourceName | null): boolean {
  const isRefused = connection.state === "offline" && connection.failure.code === "auth_failed";
  return isRefused && source?.has_user === true;
}

/** Whether what is typed as a connection string carries a password, which must not be stored with the profile. */
export function hasPassword(uri: string): boolean {
  const authority = /^[a-z+]+:\/\/([^?]*)@/i.exec(uri)?.[1];
  return authority?.includes(":") ?? false;
}

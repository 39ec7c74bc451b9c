// Whether the source in use needs a password.

import type { Connection, SourceName } from "../backend";

/** Whether the source can be reached and needs a password or a different one. */
export function needsPassword(connection: Connection, source: SourceName | null): boolean {
  const isRefused = connection.state === "offline" && connection.failure.code === "auth_failed";
  return isRefused && source?.has_user === true;
}

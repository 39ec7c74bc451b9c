// Why the server is not asked, in words.

import type { Connection, SourceName } from "../backend";
import { needsPassword } from "./password";

/** Why nothing is asked of the server now, as a clause; null if it answers. */
export function awayText(connection: Connection, source: SourceName | null): string | null {
  switch (connection.state) {
    case "online":
      return null;
    case "not_configured":
      return "no source is set up";
    case "checking":
      return "checking whether the server can be reached";
    case "unlocking":
      return "waiting for the keychain to be unlocked";
    case "offline":
      if (needsPassword(connection, source)) return "the server needs a password";
      return isOutOfReach(connection.failure.code)
        ? "the server cannot be reached"
        : "the server refuses this source";
  }
}

function isOutOfReach(code: string): boolean {
  return code === "source_unreachable" || code === "source_timeout" || code === "tls_failed";
}

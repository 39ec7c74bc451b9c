import { expect, it } from "vitest";

import type { Connection } from "../backend";
import { makeFailure, makeSource } from "../test/made";
import { awayText } from "./away";

it("says that the server cannot be reached only once that is known", () => {
  const offline = (code: "source_unreachable" | "auth_failed"): Connection => ({
    state: "offline",
    failure: makeFailure(code, "No."),
  });
  const text = (connection: Connection, has_user = false) => awayText(connection, makeSource({ has_user }));
  expect(text({ state: "checking" })).toBe("checking whether the server can be reached");
  expect(text({ state: "unlocking" })).toBe("waiting for the keychain to be unlocked");
  expect(text(offline("source_unreachable"))).toBe("the server cannot be reached");
  expect(text(offline("auth_failed"), true)).toBe("the server needs a password");
  expect(text(offline("auth_failed"))).toBe("the server refuses this source");
});

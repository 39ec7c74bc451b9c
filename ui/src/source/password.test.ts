import { expect, it } from "vitest";

import { makeFailure, makeSource } from "../test/made";
import { needsPassword } from "./password";

it("takes a refused user for a missing password, and nothing else", () => {
  const offline = {
    state: "offline" as const,
    failure: makeFailure("auth_failed", "Refused.", { field: "password" }),
  };
  expect(needsPassword(offline, makeSource({ has_user: true }))).toBe(true);
  expect(needsPassword(offline, makeSource({ has_user: false }))).toBe(false);
  expect(needsPassword(offline, null)).toBe(false);
  const away = { state: "offline" as const, failure: makeFailure("source_unreachable", "Away.") };
  expect(needsPassword(away, makeSource({ has_user: true }))).toBe(false);
});

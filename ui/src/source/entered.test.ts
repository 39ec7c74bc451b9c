import { expect, it } from "vitest";

import { makeFailure, makeSaved } from "../test/made";
import {
  copyName,
  draftOf,
  duplicateSource,
  editSource,
  newSource,
  refusedField,
  secretHint,
  secretsAfter,
  secretsOf,
  usualName,
} from "./entered";

it("sends a duplicate as a new source that has the secrets of the first", () => {
  const saved = makeSaved({ id: "7", name: "desk", colour: "red", secrets: "keychain" });
  const start = duplicateSource(saved, [saved]);
  expect(draftOf(start, start.entered)).toEqual({
    id: null,
    name: "desk copy",
    colour: "red",
    profile: saved.profile,
    secrets_of: "7",
    keep_secrets: true,
  });
});

it("finds a name that is not taken", () => {
  expect(copyName("desk", new Set(["desk"]))).toBe("desk copy");
  expect(copyName("desk", new Set(["desk", "desk copy", "desk copy 2"]))).toBe("desk copy 3");
});

it("sends only the secrets that were typed", () => {
  const { entered } = newSource(true);
  expect(secretsOf({ ...entered, passphrase: "p" })).toEqual({
    password: null,
    passphrase: "p",
    proxy_password: null,
  });
});

it("says where a password is only as long as it would be used", () => {
  const saved = makeSaved({ secrets: "keychain" });
  expect(secretHint(saved, saved.profile.uri)).toBe("Kept in the keychain");
  expect(secretHint({ ...saved, secrets: "memory" }, saved.profile.uri)).toBe("Kept until Tidemark closes");
  expect(secretHint(saved, "mongodb://db2")).toBe("");
  expect(secretHint(null, "")).toBe("");
});

it("calls a source by its collection unless it has a name", () => {
  const { entered } = editSource(makeSaved());
  expect(usualName(entered)).toBe("trading.messages");
  expect(usualName(newSource(false).entered)).toBe("database.collection");
});

it("knows the field that a failure is about", () => {
  expect(refusedField(makeFailure("bad_source", "No.", { field: "connection_string" }))).toBe("uri");
  expect(refusedField(makeFailure("bad_mapping", "No.", { field: "mapping" }))).toBe("mapping");
  expect(refusedField(makeFailure("source_unreachable", "No."))).toBeNull();
  expect(refusedField(null)).toBeNull();
});

it("drops every secret of a former server, except those that the new string has", () => {
  const entered = { ...newSource(true).entered, password: "a", passphrase: "b", proxyPassword: "c" };
  const found = { password: "d", passphrase: null, proxy_password: null };
  expect(secretsAfter(entered, { database: null, found, former: null })).toEqual({
    password: "d",
    passphrase: "b",
    proxyPassword: "c",
  });
  expect(secretsAfter(entered, { database: null, found, former: "server" })).toEqual({
    password: "d",
    passphrase: "",
    proxyPassword: "",
  });
});

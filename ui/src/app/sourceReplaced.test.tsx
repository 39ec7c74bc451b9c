// Replacing the connection string of a source: what belonged to the former server or user.

import { screen, waitFor } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeFailure } from "../test/made";
import { openNewSource as open, pasteString as paste } from "./openApp";

async function replace(user: UserEvent, text: string) {
  const uri = screen.getByTestId("source-uri");
  await user.clear(uri);
  await user.click(uri);
  await user.paste(text);
}

it("sends no password to a server or as a user that it was not typed for", async () => {
  const { fake, user } = await open();
  const uri = screen.getByTestId("source-uri");
  const password = screen.getByTestId("source-password");
  const note = () => screen.queryByTestId("source-cleared-secrets");
  await paste(user, "mongodb://reader:PW@prod:27017/desk");
  await waitFor(() => expect(password).toHaveValue("PW"));
  // Options say nothing of where the password belongs.
  await user.type(uri, "?appName=desk{Tab}");
  await replace(user, "mongodb://reader@prod:27017/desk?retryReads=false");
  await user.tab();
  expect(password).toHaveValue("PW");
  expect(note()).not.toBeInTheDocument();
  // However soon it is sent.
  await replace(user, "mongodb://reader@other:27556/desk");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  const [, draft, secrets] = vi.mocked(fake.backend.connect).mock.lastCall ?? [];
  expect(draft?.profile.uri).toBe("mongodb://reader@other:27556/desk");
  expect(secrets).toEqual({ password: null, passphrase: null, proxy_password: null });
});

it("says whose password was cleared, unless the new string brings its own", async () => {
  const { user } = await open();
  const password = screen.getByTestId("source-password");
  await paste(user, "mongodb://reader:PW@prod");
  await waitFor(() => expect(password).toHaveValue("PW"));
  await replace(user, "mongodb://reader@other");
  expect(await screen.findByTestId("source-cleared-secrets")).toHaveTextContent(
    "The password of the former server was cleared.",
  );
  expect(password).toHaveValue("");
  await user.type(password, "two");
  await replace(user, "mongodb://writer@other");
  expect(await screen.findByText("The password of the former user was cleared.")).toBeVisible();
  expect(password).toHaveValue("");
  await replace(user, "mongodb://writer:three@third");
  await waitFor(() => expect(password).toHaveValue("three"));
  expect(screen.queryByTestId("source-cleared-secrets")).not.toBeInTheDocument();
});

it("shows a failure only as long as what was sent is what is entered", async () => {
  const { fake, user } = await open(makeFake());
  vi.mocked(fake.backend.connect).mockRejectedValue(
    makeFailure("not_authorized", "You may not read it.", { field: "collection" }),
  );
  await user.click(screen.getByTestId("source-connect"));
  const collection = screen.getByTestId("source-collection");
  await waitFor(() => expect(collection).toHaveFocus());
  expect(collection).toHaveAttribute("aria-invalid", "true");
  const failure = () => screen.queryByTestId("source-failure");
  expect(failure()).toBeVisible();
  const password = screen.getByTestId("source-password");
  await user.type(password, "x");
  expect(failure()).not.toBeInTheDocument();
  expect(collection).not.toHaveAttribute("aria-invalid");
  await user.keyboard("{Backspace}");
  expect(failure()).toBeVisible();
  expect(password).toHaveFocus();
  await replace(user, "mongodb://other@db1");
  // Documents are read as the other user, which is not what failed.
  await user.click(screen.getByTestId("source-propose"));
  await screen.findByTestId("proposal");
  expect(failure()).not.toBeInTheDocument();
  expect(collection).not.toHaveAttribute("aria-invalid");
});

it("takes a connection string among the hosts of the form for what it is, pasted or typed", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://reader:PW@prod");
  await user.click(screen.getByTestId("source-form-section"));
  const hosts = await screen.findByTestId("source-form-hosts");
  await user.clear(hosts);
  await user.click(hosts);
  await user.paste("mongodb://reader@third");
  expect(await screen.findByTestId("source-cleared-secrets")).toBeVisible();
  expect(screen.getByTestId("source-password")).toHaveValue("");
  await user.clear(hosts);
  await user.click(hosts);
  await user.paste(" mongodb://writer:two@other/?appName=desk");
  await waitFor(() => expect(hosts).toHaveValue("other"));
  expect(screen.getByTestId("source-uri")).toHaveValue("mongodb://writer@other/?appName=desk");
  expect(screen.getByTestId("source-form-user")).toHaveValue("writer");
  expect(screen.getByTestId("source-password")).toHaveValue("two");
  await user.clear(hosts);
  await user.type(hosts, "mongodb+srv://ann:three@cluster.example");
  // Half of a password would be taken for the whole.
  expect(screen.getByTestId("source-password")).toHaveValue("two");
  vi.mocked(fake.backend.editConnection).mockClear();
  await user.tab();
  await waitFor(() =>
    expect(fake.backend.editConnection).toHaveBeenCalledExactlyOnceWith({
      by: "text",
      uri: "mongodb+srv://ann:three@cluster.example",
    }),
  );
});

it("takes the database that a connection string names, unless one is named already", async () => {
  const { user } = await open();
  const uri = screen.getByTestId("source-uri");
  await user.type(uri, "mongodb://db1/desk{Tab}");
  const database = screen.getByTestId("source-database");
  await waitFor(() => expect(database).toHaveValue("desk"));
  await user.clear(uri);
  await user.type(uri, "mongodb://db1/users{Tab}");
  await waitFor(() => expect(screen.getByTestId("source-uri")).toHaveValue("mongodb://db1/users"));
  expect(database).toHaveValue("desk");
});

// The form of a source: the connection string, what the server lists, and testing.

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { ConnectionDraft, MappingView, SourceTest, StepResult } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeConnection, makeFailure, makeForm, makePart, makeSaved } from "../test/made";
import { openApp, openNewSource as open, pasteString as paste } from "./openApp";

const step = (part: Partial<StepResult>): StepResult => ({
  step: "reach",
  title: "Reach a server",
  outcome: "passed",
  detail: "It answers.",
  fix: null,
  elapsed_ms: 12,
  ...part,
});

it("takes eight presses from an empty profile to a fetch", async () => {
  const fake = makeFake({ profile: null, connection: { state: "not_configured" } });
  const user = userEvent.setup();
  vi.mocked(fake.backend.listDatabases).mockResolvedValue(["archive", "trading"]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([
    { name: "messages", kind: "collection", documents: 1_200_000 },
    { name: "open", kind: "view", documents: null },
  ]);
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockResolvedValue(await makeFake().backend.sourceView());
  let presses = 0;
  const press = async (what: HTMLElement) => {
    presses += 1;
    await user.click(what);
  };
  const welcome = within(screen.getByTestId("welcome"));
  await press(welcome.getByRole("button", { name: "Set up a source" }));
  await paste(user, "mongodb://ann:s3cret@db1");
  presses += 1;
  await press(await screen.findByTestId("source-database"));
  await press(await screen.findByRole("option", { name: "trading" }));
  // The list of collections opens by itself.
  await waitFor(() => expect(screen.getByTestId("source-collection")).toHaveFocus());
  const messages = await screen.findByRole("option", { name: /messages/ });
  expect(messages).toHaveTextContent("1.2M documents");
  await press(messages);
  await waitFor(() => expect(fake.backend.proposeMapping).toHaveBeenCalledOnce());
  await screen.findByTestId("proposal");
  await press(screen.getByTestId("source-connect"));
  await waitFor(() => expect(screen.queryByTestId("source-dialog")).not.toBeInTheDocument());
  await press(screen.getByTestId("fetch-button"));
  await waitFor(() => expect(fake.backend.fetch).toHaveBeenCalledOnce());
  expect(presses).toBeLessThanOrEqual(8);
  const [, draft, secrets] = vi.mocked(fake.backend.connect).mock.lastCall ?? [];
  expect(draft?.profile).toMatchObject({
    uri: "mongodb://ann@db1",
    database: "trading",
    collection: "messages",
  });
  expect(draft?.profile.mapping).toContain("dealNo");
  expect(secrets?.password).toBe("s3cret");
});

it("moves a password from the connection string to its own field, and says so", async () => {
  const { user } = await open();
  await paste(user, "mongodb://ann:s3cret@db1");
  await waitFor(() => expect(screen.getByTestId("source-password")).toHaveValue("s3cret"));
  expect(screen.getByTestId("source-uri")).toHaveValue("mongodb://ann@db1");
  expect(screen.getByTestId("source-took-secrets")).toBeVisible();
});

it("leaves a password alone that is being typed", async () => {
  const { fake, user } = await open();
  const uri = screen.getByTestId<HTMLInputElement>("source-uri");
  await user.type(uri, "mongodb://ann:s3@cr");
  await new Promise((done) => setTimeout(done, 300));
  // `s3` would be taken for the password otherwise.
  expect(uri.value).toBe("mongodb://ann:s3@cr");
  await user.type(uri, "et@db1");
  vi.mocked(fake.backend.editConnection).mockClear();
  await user.tab();
  await waitFor(() =>
    expect(fake.backend.editConnection).toHaveBeenCalledExactlyOnceWith({
      by: "text",
      uri: "mongodb://ann:s3@cret@db1",
    }),
  );
});

it("waits for a proposal before it connects", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.listDatabases).mockResolvedValue([]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([]);
  await user.type(screen.getByTestId("source-uri"), "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades");
  await user.click(screen.getByTestId("source-connect"));
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  const [, draft] = vi.mocked(fake.backend.connect).mock.lastCall ?? [];
  expect(draft?.profile.mapping).toContain("dealNo");
});

it("sends no password in the connection string, however soon it is sent", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://ann:s3cret@db1");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  const [, draft, secrets] = vi.mocked(fake.backend.connect).mock.lastCall ?? [];
  expect(draft?.profile.uri).toBe("mongodb://ann@db1");
  expect(secrets?.password).toBe("s3cret");
});

it("lets the text follow the form, and shows what is wrong at its field", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://db1");
  await user.click(screen.getByTestId("source-form-section"));
  const hosts = await screen.findByTestId("source-form-hosts");
  vi.mocked(fake.backend.editConnection).mockImplementation((edit): Promise<ConnectionDraft> => {
    const problems = [{ field: "replica_set" as const, message: "Leave this blank." }];
    return Promise.resolve({ ...makeConnection(edit), problems });
  });
  await user.type(hosts, ",db2");
  await waitFor(() => expect(screen.getByTestId("source-uri")).toHaveValue("mongodb://db1,db2/"));
  expect(hosts).toHaveValue("db1,db2");
  expect(hosts).not.toHaveAttribute("aria-invalid");
  const replicaSet = screen.getByTestId("source-form-replica_set");
  expect(replicaSet).toHaveAttribute("aria-invalid", "true");
  expect(replicaSet).toHaveAccessibleDescription("Leave this blank.");
});

it("sends the mapping with a part that was changed just before", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades");
  vi.mocked(fake.backend.changeMapping).mockImplementation((text) =>
    Promise.resolve({ text, parts: [makePart()], problem: null }),
  );
  await user.click(await screen.findByTestId("mapping-as-text"));
  await user.type(screen.getByTestId("source-mapping"), "{{}");
  const clear = await screen.findByTestId("mapping-trade_id-clear");
  const slow = later<MappingView>();
  vi.mocked(fake.backend.changeMapping).mockReturnValueOnce(slow.promise);
  await user.click(clear);
  await user.click(screen.getByTestId("source-connect"));
  expect(fake.backend.connect).not.toHaveBeenCalled();
  slow.resolve({ text: '{"trade_id": null}', parts: [makePart({ value: null })], problem: null });
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  expect(vi.mocked(fake.backend.connect).mock.lastCall?.[1].profile.mapping).toBe('{"trade_id": null}');
});

it("sends the form as it is, however soon it is sent", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://db1");
  await user.click(screen.getByTestId("source-form-section"));
  const hosts = await screen.findByTestId("source-form-hosts");
  const slow = later<ConnectionDraft>();
  vi.mocked(fake.backend.editConnection).mockReturnValue(slow.promise);
  await user.type(hosts, "2");
  await user.click(screen.getByTestId("source-save"));
  expect(fake.backend.saveSource).not.toHaveBeenCalled();
  slow.resolve({
    ...makeConnection({ by: "form", form: makeForm({ hosts: "db12" }) }),
    uri: "mongodb://db12",
  });
  await waitFor(() => expect(fake.backend.saveSource).toHaveBeenCalled());
  expect(vi.mocked(fake.backend.saveSource).mock.lastCall?.[0].profile.uri).toBe("mongodb://db12");
});

it("asks for a passphrase and for the proxy's password only if they are needed", async () => {
  const fake = makeFake({ profile: null });
  const form = makeForm({ certificate_file: "a.pem", other_options: "proxyHost=proxy" });
  vi.mocked(fake.backend.editConnection).mockImplementation((edit) =>
    Promise.resolve({ ...makeConnection(edit), form }),
  );
  const { user } = await open(fake);
  expect(screen.queryByTestId("source-passphrase")).not.toBeInTheDocument();
  await paste(user, "mongodb://db1/?tlsCertificateKeyFile=a.pem");
  await user.type(await screen.findByTestId("source-passphrase"), "p");
  await user.type(screen.getByTestId("source-proxy-password"), "q");
  await user.click(screen.getByTestId("source-save"));
  await waitFor(() => expect(fake.backend.saveSource).toHaveBeenCalledOnce());
  const secrets = { password: null, passphrase: "p", proxy_password: "q" };
  expect(vi.mocked(fake.backend.saveSource).mock.lastCall?.[1]).toEqual(secrets);
});

it("offers the keychain only if there is one", async () => {
  await open(makeFake({ profile: null, has_keychain: false }));
  expect(screen.queryByTestId("source-keychain")).not.toBeInTheDocument();
  expect(screen.getByText(/has no keychain/)).toBeVisible();
});

it("lets a name be typed if it may not be listed", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.listDatabases).mockRejectedValue(makeFailure("not_authorized", "Not allowed."));
  vi.mocked(fake.backend.listCollections).mockRejectedValue(makeFailure("source_timeout", "Too slow."));
  await paste(user, "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "trading");
  expect(await screen.findByTestId("source-database-note")).toHaveTextContent("type its name");
  expect(screen.getByTestId("source-database")).toHaveValue("trading");
  await user.type(screen.getByTestId("source-collection"), "trades");
  expect(screen.getByTestId("source-collection-note")).toHaveTextContent("Too slow.");
  await user.click(screen.getByTestId("source-connect"));
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  const profile = vi.mocked(fake.backend.connect).mock.lastCall?.[1].profile;
  expect(profile).toMatchObject({ database: "trading", collection: "trades" });
});

it("fills in what leaves no choice, and asks once", async () => {
  const { fake, user } = await open();
  await paste(user, "mongodb://db1");
  await user.click(screen.getByTestId("source-database"));
  await waitFor(() => expect(screen.getByTestId("source-database")).toHaveValue("trading"));
  await waitFor(() => expect(screen.getByTestId("source-collection")).toHaveValue("messages"));
  await user.click(screen.getByTestId("source-password"));
  await user.click(screen.getByTestId("source-database"));
  expect(fake.backend.listDatabases).toHaveBeenCalledOnce();
  expect(fake.backend.listCollections).toHaveBeenCalledOnce();
});

it("saves a source that could not be reached, if that is wanted", async () => {
  const { fake, user } = await open(makeFake());
  vi.mocked(fake.backend.connect).mockRejectedValue(makeFailure("source_unreachable", "No server answers."));
  await user.click(screen.getByTestId("source-connect"));
  const failure = await screen.findByTestId("source-failure");
  await user.click(within(failure).getByRole("button", { name: "Save anyway" }));
  await waitFor(() => expect(fake.backend.saveSource).toHaveBeenCalledOnce());
  expect(await screen.findByTestId("sources-dialog")).toBeInTheDocument();
});

it("shows a test step by step, and what the database team needs to know", async () => {
  const { fake, user } = await open(makeFake());
  const answer = later<SourceTest>();
  const failed = step({
    step: "indexes",
    title: "Look for indexes",
    outcome: "failed",
    fix: "db.createIndex()",
  });
  vi.mocked(fake.backend.testSource).mockImplementation((_id, _draft, _secrets, onEvent) => {
    onEvent({ event: "began", step: "reach", title: "Reach a server" });
    onEvent({ event: "ended", result: step({}) });
    onEvent({ event: "began", step: "indexes", title: "Look for indexes" });
    return answer.promise;
  });
  await user.click(screen.getByTestId("source-test"));
  expect(await screen.findByText("Testing: Look for indexes")).toBeVisible();
  expect(screen.getByTestId("test-step-reach")).toHaveTextContent("Passed It answers.12 ms");
  expect(screen.getByTestId("test-step-indexes")).toHaveTextContent("Running");
  const failure = makeFailure("not_authorized", "You may not read it.");
  answer.resolve({ steps: [step({}), failed], failure, report: "the report" });
  expect(await screen.findByTestId("source-test-failure")).toHaveTextContent("You may not read it.");
  await user.click(screen.getByTestId("test-fix-copy"));
  expect(fake.backend.copyText).toHaveBeenLastCalledWith("db.createIndex()");
  await user.click(screen.getByTestId("source-test-report"));
  expect(fake.backend.copyText).toHaveBeenLastCalledWith("the report");
});

it("stops a test that is cancelled", async () => {
  const { fake, user } = await open(makeFake());
  vi.mocked(fake.backend.testSource).mockReturnValue(later<SourceTest>().promise);
  await user.click(screen.getByTestId("source-test"));
  await waitFor(() => expect(fake.backend.testSource).toHaveBeenCalledOnce());
  await user.click(screen.getByTestId("source-close"));
  const id = vi.mocked(fake.backend.testSource).mock.lastCall?.[0];
  expect(fake.backend.cancelConnect).toHaveBeenCalledExactlyOnceWith(id);
});

it("says where the password of a saved source is, as long as it is used", async () => {
  const { user } = await open(makeFake({ sources: [makeSaved({ secrets: "memory" })] }));
  const password = screen.getByTestId("source-password");
  expect(password).toHaveAttribute("placeholder", "Kept until Tidemark closes");
  await user.type(screen.getByTestId("source-uri"), "2");
  expect(password).toHaveAttribute("placeholder", "");
});

it("tests the server before a collection is chosen, and says what the rest needs", async () => {
  const { fake, user } = await open();
  const skipped = step({ step: "read", outcome: "skipped", detail: "Choose a database to test the rest." });
  vi.mocked(fake.backend.testSource).mockResolvedValue({
    steps: [step({}), skipped],
    failure: null,
    report: "",
  });
  await paste(user, "mongodb://db1");
  await user.click(screen.getByTestId("source-test"));
  expect(await screen.findByTestId("source-test-summary")).toHaveTextContent(
    "The server answers. Choose a database and a collection to test the rest.",
  );
  // What was tested is not what is chosen now.
  await user.type(screen.getByTestId("source-database"), "trading");
  await user.type(screen.getByTestId("source-collection"), "trades{Tab}");
  await waitFor(() => expect(fake.backend.proposeMapping).toHaveBeenCalledOnce());
  await waitFor(() => expect(screen.queryByTestId("source-test-view")).not.toBeInTheDocument());
});

it("marks a mapping that was proposed and refused at once", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.connect).mockRejectedValue(
    makeFailure("bad_mapping", "No such zone.", { field: "mapping" }),
  );
  await user.type(screen.getByTestId("source-uri"), "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades");
  await user.click(screen.getByTestId("source-connect"));
  expect(await screen.findByTestId("source-failure")).toHaveTextContent("No such zone.");
  expect(screen.getByTestId("mapping")).toHaveAttribute("data-invalid");
});

// The active source: changing it, opening what is cached from a different one, and its password.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Connection, FailureTarget, SourceView } from "../backend";
import { type Fake, makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import {
  makeAnswer,
  makeCached,
  makeFailure,
  makePartial,
  makeQuery,
  makeSaved,
  makeSource,
} from "../test/made";
import { fetchAnswer, openApp, openForm } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content }: { content: { length: number } }) => <div data-testid="grid">{content.length}</div>,
}));

const online: Connection = {
  state: "online",
  round_trip_ms: 2,
  version: "8",
  unverified: null,
  warnings: [],
};
const away = makeFailure("source_unreachable", "No server answers.");

/** What connecting to a different source returns. */
async function other(fake: Fake): Promise<SourceView> {
  const view = await fake.backend.sourceView();
  const profile = { uri: "mongodb://db2", database: "archive", collection: "messages", mapping: "" };
  const source = makeSource({ name: "archive.messages at db2", hosts: "db2", key: "b".repeat(32) });
  return { ...view, profile, source, connection: online };
}

async function connect(user: UserEvent): Promise<void> {
  await openForm(user);
  await user.type(screen.getByTestId("source-uri"), "2");
  await user.click(screen.getByTestId("source-connect"));
}

it("takes the rows of a source away with it", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake);
  await screen.findByTestId("answer");
  vi.mocked(fake.backend.connect).mockResolvedValue(await other(fake));
  await connect(user);
  await waitFor(() => expect(screen.queryByTestId("answer")).not.toBeInTheDocument());
  expect(screen.getByTestId("welcome")).toBeInTheDocument();
});

it("ends a run of the source that is left, and shows nothing of it", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  vi.mocked(fake.backend.connect).mockResolvedValue(await other(fake));
  await connect(user);
  await waitFor(() => expect(fake.backend.cancel).toHaveBeenCalledOnce());
  await act(async () => {
    fake.finish(makeAnswer());
    await Promise.resolve();
  });
  expect(screen.queryByTestId("answer")).not.toBeInTheDocument();
  expect(screen.getByTestId("activity")).toHaveTextContent("Idle");
});

it("does not go on at another source with a run that waits", async () => {
  const fake = makeFake({ connection: { state: "offline", failure: away } });
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, makePartial(["2025-01-31"], { failure: away }));
  await waitFor(() => expect(screen.getByTestId("activity")).toHaveTextContent("Paused"));
  const answer = later<SourceView>();
  vi.mocked(fake.backend.connect).mockReturnValue(answer.promise);
  await connect(user);
  // The new source is reported online before the window knows that it is the active one.
  act(() => fake.connection(online));
  const next = await other(fake);
  await act(async () => {
    answer.resolve(next);
    await answer.promise;
  });
  await waitFor(() => expect(screen.getByTestId("activity")).toHaveTextContent("Idle"));
  expect(fake.backend.fetch).toHaveBeenCalledOnce();
});

it("gives connecting up when it is cancelled", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockReturnValue(later<SourceView>().promise);
  await connect(user);
  await user.click(screen.getByTestId("source-close"));
  const id = vi.mocked(fake.backend.connect).mock.lastCall?.[0];
  expect(fake.backend.cancelConnect).toHaveBeenCalledExactlyOnceWith(id);
  expect(screen.getByTestId("source-dialog")).toBeInTheDocument();
});

it("says whose rows are opened where they are of another source, and that the server was not asked", async () => {
  const fake = makeFake();
  const source = makeSource({ name: "archive.messages at db9", key: "9".repeat(32) });
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached({ source: source.name })]);
  vi.mocked(fake.backend.answer).mockResolvedValue(makeAnswer({ answer: "offline", source }));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  expect(await screen.findByTestId("answer-source")).toHaveTextContent("cached from archive.messages at db9");
  expect(screen.getByTestId("answer-origin")).toHaveTextContent("From the cache");
});

it("calls what a cancelled run leaves cached while the source is in reach", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await screen.findByText(/0 of 31 days cached/);
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.fail(makeFailure("cancelled", "It was cancelled.")));
  expect(await screen.findByTestId("answer-origin")).toHaveTextContent("From the cache");
});

it("says that rows were cached under a different mapping of the source in use", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const source = makeSource({ key: "9".repeat(32) });
  vi.mocked(fake.backend.answer).mockResolvedValue(makeAnswer({ source }));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  expect(await screen.findByTestId("answer-source")).toHaveTextContent(/^cached under a different mapping$/);
});

it("says nothing of the source where it is the one in use", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  await screen.findByTestId("answer");
  await waitFor(() => expect(screen.queryByTestId("answer-source")).not.toBeInTheDocument());
});

it("shows why a cached query could not be opened", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  vi.mocked(fake.backend.answer).mockRejectedValue(makeFailure("cache_damaged", "The file is damaged."));
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  expect(await screen.findByTestId("cached-failure")).toHaveTextContent("The file is damaged.");
});

it("shows the cached query that was clicked last, in whatever order they come", async () => {
  const fake = makeFake();
  const [slow, quick] = [makeCached({ filters: "slow one" }), makeCached({ signature: "8".repeat(32) })];
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([slow, quick]);
  const answer = later<ReturnType<typeof makeAnswer>>();
  vi.mocked(fake.backend.answer).mockImplementation((key) =>
    key.signature === slow.signature ? answer.promise : Promise.resolve(makeAnswer()),
  );
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  const buttons = await screen.findAllByTestId("cached-open");
  for (const button of buttons) await user.click(button);
  await waitFor(() => expect(screen.getByTestId("answer")).toHaveTextContent("product: Brent"));
  await act(async () => {
    answer.resolve(makeAnswer());
    await answer.promise;
  });
  expect(screen.getByTestId("answer")).not.toHaveTextContent("slow one");
});

it("tells what was ignored of the connection string", async () => {
  const ignored = "The option colour of the connection string is not known and was ignored.";
  const fake = makeFake({ connection: { ...online, warnings: [ignored] }, form: makeQuery() });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("connection-status"));
  expect(await screen.findByText(ignored)).toBeVisible();
});

it("asks for the password where the source wants one", async () => {
  const profile = { uri: "mongodb://ann@db1", database: "trading", collection: "messages", mapping: "" };
  const refused = makeFailure("auth_failed", "The server refused the user name or the password.", {
    field: "password",
  });
  const source = makeSource({ name: "trading.messages at db1 as ann", has_user: true });
  const connection = { state: "offline" as const, failure: refused };
  const saved = makeSaved({ profile, name: "desk", colour: "red" });
  const fake = makeFake({ profile, source, connection, form: makeQuery(), sources: [saved] });
  const user = userEvent.setup();
  await openApp(fake);
  const status = screen.getByTestId("connection-status");
  expect(status).toHaveTextContent("Password needed");
  await user.click(status);
  expect(await screen.findByText("Password for desk")).toBeVisible();
  // The hint of the top bar may still name it as well.
  expect(within(screen.getByRole("dialog")).getByText("trading.messages at db1 as ann")).toBeVisible();
  await user.type(screen.getByTestId("password-input"), "s3cret");
  await user.click(screen.getByTestId("source-keychain"));
  await user.click(screen.getByTestId("password-connect"));
  expect(fake.backend.connect).toHaveBeenCalledWith(
    expect.anything(),
    { id: "1", name: "desk", colour: "red", profile, secrets_of: "1", keep_secrets: true },
    { password: "s3cret", passphrase: null, proxy_password: null },
  );
});

it("connects with a mapping that was corrected after it had been refused", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockRejectedValueOnce(
    makeFailure("bad_mapping", "There is no setting named trade_idd.", { field: "mapping" }),
  );
  await openForm(user);
  const mapping = screen.getByTestId("source-mapping");
  await user.click(mapping);
  await user.paste('{"version": 1, "trade_idd": "id"}');
  await user.click(screen.getByTestId("source-connect"));
  await screen.findByTestId("source-failure");
  expect(mapping).toHaveAttribute("aria-invalid", "true");
  await user.clear(mapping);
  expect(mapping).not.toHaveAttribute("aria-invalid");
  await user.paste('{"version": 1, "trade_id": "id"}');
  await user.click(screen.getByTestId("source-connect"));
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledTimes(2));
  await waitFor(() => expect(screen.queryByTestId("source-dialog")).not.toBeInTheDocument());
});

it("tries the same mapping again where the server has changed meanwhile", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockRejectedValueOnce(
    makeFailure("bad_mapping", "No such field.", { field: "mapping" }),
  );
  await openForm(user);
  await user.click(screen.getByTestId("source-connect"));
  await screen.findByTestId("source-failure");
  await user.click(screen.getByTestId("source-connect"));
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledTimes(2));
});

it("calls the source as the engine does", async () => {
  await openApp(makeFake({ source: makeSource({ hosts: "db1, db2:27018" }) }));
  expect(screen.getByTestId("source-button")).toHaveTextContent("db1, db2:27018");
});

it("begins at the connection string", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  await waitFor(() => expect(screen.getByTestId("source-uri")).toHaveFocus());
});

it("goes to the field that has to be corrected and marks it until it is changed", async () => {
  const profile = { uri: "mongodb://db1", database: "", collection: "", mapping: "" };
  const fake = makeFake({ profile, sources: [makeSaved({ profile })] });
  // One name alone would be filled in.
  vi.mocked(fake.backend.listDatabases).mockResolvedValue(["archive", "trading"]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([]);
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  const refuse = async (message: string, target: FailureTarget) => {
    vi.mocked(fake.backend.connect).mockRejectedValueOnce(makeFailure("bad_source", message, target));
    await user.click(screen.getByTestId("source-connect"));
    expect(await screen.findByTestId("source-failure")).toHaveTextContent(message);
  };
  const targets = {
    database: "database",
    collection: "collection",
    uri: "connection_string",
    password: "password",
  } as const;
  for (const [name, field] of Object.entries(targets)) {
    await refuse(`Correct the ${name}.`, { field });
    const input = screen.getByTestId(`source-${name}`);
    await waitFor(() => expect(input).toHaveFocus());
    expect(document.querySelectorAll("[aria-invalid]")).toHaveLength(1);
    expect(input).toHaveAttribute("aria-invalid", "true");
    await user.keyboard("a");
    expect(input).not.toHaveAttribute("aria-invalid");
  }
});

it("lets the fields of a source scroll, and neither the failure nor the buttons", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.connect).mockRejectedValue(
    makeFailure("auth_failed", "Refused.", { field: "password" }),
  );
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  await user.click(screen.getByTestId("source-connect"));
  const failure = await screen.findByTestId("source-failure");
  const fields = screen.getByTestId("source-uri").closest(".source-fields");
  expect(fields).toContainElement(screen.getByTestId("source-mapping"));
  for (const outside of [failure, screen.getByTestId("source-connect"), screen.getByTestId("source-close")]) {
    expect(fields).not.toContainElement(outside);
  }
});

it("says once that no source is set up, and not as a failure", async () => {
  const fake = makeFake({ profile: null, connection: { state: "not_configured" } });
  vi.mocked(fake.backend.plan).mockRejectedValue(makeFailure("source_unreachable", "No source is set up."));
  await openApp(fake);
  await waitFor(() => expect(screen.getByTestId("plan-sentence")).toHaveTextContent("No plan"));
  expect(screen.getAllByText(/No source is set up/)).toHaveLength(1);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

// What the window says while a source is changed or its server is away, and leaving the form of a source.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Connection, SourceView } from "../backend";
import { makeFake, makePlan } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeAnswer, makeCached, makeFailure, makePartial, makeSaved, makeSource } from "../test/made";
import { openApp, openForm } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({ GridView: () => <div data-testid="grid" /> }));

const online: Connection = {
  state: "online",
  round_trip_ms: 2,
  version: "8",
  unverified: null,
  warnings: [],
};
const away = makeFailure("source_unreachable", "No server answers.");

async function connect(user: UserEvent): Promise<void> {
  await openForm(user);
  await user.type(screen.getByTestId("source-uri"), "2");
  await user.click(screen.getByTestId("source-connect"));
}

it("says what became of a run of the source that is left", async () => {
  const fake = makeFake({ sources: [makeSaved({ name: "desk" })] });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  const source = makeSource({ key: "b".repeat(32) });
  vi.mocked(fake.backend.connect).mockResolvedValue({ ...(await fake.backend.sourceView()), source });
  await connect(user);
  const note = await screen.findByTestId("left-note");
  expect(note).toHaveTextContent("The fetch from desk is being stopped");
  const days = { ...makeAnswer().days, from_cache: 10, fetched: 12 };
  act(() => fake.finish(makePartial(["2025-01-31"], { days, failure: makeFailure("cancelled", "x") })));
  await waitFor(() => expect(note).toHaveTextContent("was stopped, because the source was changed: 12 days"));
  await user.click(within(note).getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("left-note")).not.toBeInTheDocument();
});

it("takes the failure about a field away when the field is filled from a list", async () => {
  const profile = { uri: "mongodb://db1", database: "", collection: "", mapping: "" };
  const fake = makeFake({ profile, sources: [makeSaved({ profile })] });
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockRejectedValueOnce(
    makeFailure("bad_source", "Enter a database.", { field: "database" }),
  );
  await openForm(user);
  await user.click(screen.getByTestId("source-connect"));
  // The failure moves the focus to the field, whose list has one name and fills it in.
  await waitFor(() => expect(screen.getByTestId("source-database")).toHaveValue("trading"));
  await waitFor(() => expect(screen.queryByTestId("source-failure")).not.toBeInTheDocument());
});

it("stops connecting with Escape, and asks once before what was typed is lost", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  vi.mocked(fake.backend.connect).mockReturnValue(later<SourceView>().promise);
  await connect(user);
  await user.keyboard("{Escape}");
  expect(fake.backend.cancelConnect).toHaveBeenCalledOnce();
  expect(screen.getByTestId("source-uri")).toHaveValue("mongodb://db12");
});

it("asks before it closes a form that was changed, and keeps it at a second Escape", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  await user.type(screen.getByTestId("source-name"), "x");
  await user.keyboard("{Escape}");
  expect(await screen.findByTestId("source-discard")).toHaveTextContent("Discard changes?");
  await waitFor(() => expect(screen.getByTestId("source-keep")).toHaveFocus());
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("source-discard")).not.toBeInTheDocument();
  expect(screen.getByTestId("source-name")).toHaveValue("trading.messagesx");
  await user.click(screen.getByTestId("source-close"));
  // Connect is the last button of the form: a press on it must not mean a button of the question.
  expect((await screen.findByTestId("source-discard")).lastElementChild).not.toHaveRole("button");
  await user.click(screen.getByTestId("source-discard-confirm"));
  expect(await screen.findByTestId("sources-dialog")).toBeInTheDocument();
  // What is as it was needs no question.
  await user.click(screen.getByTestId("source-edit"));
  await screen.findByTestId("source-dialog");
  await user.keyboard("{Escape}");
  expect(await screen.findByTestId("sources-dialog")).toBeInTheDocument();
});

it("calls what is opened while the connection is being checked cached, and stays with it", async () => {
  const fake = makeFake({ connection: { state: "checking" } });
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("cached-tab"));
  await user.click(await screen.findByTestId("cached-open"));
  expect(await screen.findByTestId("answer-origin")).toHaveTextContent("From the cache");
  act(() => fake.connection(online));
  expect(screen.getByTestId("answer-origin")).toHaveTextContent("From the cache");
});

it("does not say that a server cannot be reached while nobody knows", async () => {
  const fake = makeFake({ connection: { state: "checking" } });
  vi.mocked(fake.backend.plan).mockImplementation((query) =>
    Promise.resolve(makePlan(query, { reachable: false })),
  );
  await openApp(fake);
  const said = await screen.findByTestId("plan-away");
  expect(said).toHaveTextContent("planned from the cache: checking whether the server can be reached");
  act(() => fake.connection({ state: "unlocking" }));
  expect(await screen.findByTestId("plan-away")).toHaveTextContent("waiting for the keychain");
  expect(screen.getByTestId("connection-status")).toHaveTextContent("Waiting for the keychain");
  act(() => fake.connection({ state: "offline", failure: away }));
  await waitFor(() => expect(screen.getByTestId("plan-away")).toHaveTextContent("server cannot be reached"));
});

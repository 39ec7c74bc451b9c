// The list of sources: switching between them, duplicating and deleting them.

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { PlanView, SourceView } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeCached, makeFailure, makeSaved, makeSource } from "../test/made";
import { openApp } from "./openApp";

const desk = makeSaved({ id: "1", name: "desk", colour: "red", secrets: "keychain" });
const archive = makeSaved({
  id: "2",
  name: "archive",
  colour: "green",
  profile: { uri: "mongodb://db2", database: "archive", collection: "messages", mapping: "" },
});

async function open() {
  const fake = makeFake({ sources: [desk, archive] });
  const user = userEvent.setup();
  await openApp(fake);
  return { fake, user };
}

/** What switching to the archive returns. */
function switched(view: SourceView): SourceView {
  const source = makeSource({ hosts: "db2", key: "b".repeat(32) });
  return { ...view, in_use: "2", profile: archive.profile, source, connection: { state: "checking" } };
}

it("shows which source is in use, with its colour as a word too", async () => {
  await open();
  const button = screen.getByTestId("source-button");
  expect(button).toHaveTextContent("desk, Red, trading.messages at db1");
  expect(button.closest("header")).toHaveAttribute("data-colour", "red");
});

it("lists the sources and marks the one in use", async () => {
  const { user } = await open();
  await user.click(screen.getByTestId("source-button"));
  const [first, second] = await screen.findAllByTestId("source-item");
  expect(first).toHaveTextContent("in use");
  expect(second).not.toHaveTextContent("in use");
  expect(second).toHaveTextContent("archive.messages");
  expect(second).toHaveTextContent("mongodb://db2");
});

it("switches without waiting for the server, and shows no plan of the source that is left", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.cachedQueries).mockResolvedValue([makeCached()]);
  await screen.findByText(/0 of 31 days cached/);
  vi.mocked(fake.backend.useSource).mockResolvedValue(switched(await fake.backend.sourceView()));
  vi.mocked(fake.backend.plan).mockReturnValue(later<PlanView>().promise);
  await user.click(screen.getByTestId("source-button"));
  await user.click(await screen.findByTestId("source-use"));
  await waitFor(() => expect(screen.queryByTestId("sources-dialog")).not.toBeInTheDocument());
  expect(fake.backend.useSource).toHaveBeenCalledExactlyOnceWith("2");
  expect(screen.getByTestId("source-button")).toHaveTextContent("archive, Green");
  expect(screen.getByTestId("connection-status")).toHaveTextContent("Checking");
  expect(screen.queryByText(/0 of 31 days cached/)).not.toBeInTheDocument();
  await user.click(screen.getByTestId("cached-tab"));
  expect(await screen.findByTestId("cached-open")).toBeEnabled();
});

it("switches with a double click or with Enter", async () => {
  const { fake, user } = await open();
  await user.click(screen.getByTestId("source-button"));
  const [, second] = await screen.findAllByTestId("source-item");
  await user.dblClick(second ?? document.body);
  await waitFor(() => expect(fake.backend.useSource).toHaveBeenCalledExactlyOnceWith("2"));
  await user.click(screen.getByTestId("source-button"));
  await screen.findAllByTestId("source-item");
  await waitFor(() => expect(screen.getByTestId("sources-dialog")).toContainElement(focused()));
  screen.getAllByTestId("source-item")[1]?.focus();
  await user.keyboard("{Enter}");
  await waitFor(() => expect(fake.backend.useSource).toHaveBeenCalledTimes(2));
});

function focused(): HTMLElement | null {
  return document.activeElement instanceof HTMLElement ? document.activeElement : null;
}

it("switches from the menu of the top bar", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.useSource).mockResolvedValue(switched(await fake.backend.sourceView()));
  await user.click(screen.getByTestId("source-switch"));
  const menu = within(await screen.findByTestId("source-menu"));
  await user.click(menu.getByRole("menuitem", { name: /archive/ }));
  await waitFor(() => expect(screen.getByTestId("source-button")).toHaveTextContent("archive"));
  await user.click(screen.getByTestId("source-switch"));
  await user.click(await screen.findByRole("menuitem", { name: "Sources…" }));
  expect(await screen.findByTestId("sources-dialog")).toBeInTheDocument();
});

it("says why a source could not be used", async () => {
  const { fake, user } = await open();
  vi.mocked(fake.backend.useSource).mockRejectedValue(makeFailure("internal", "It is gone."));
  await user.click(screen.getByTestId("source-button"));
  await user.click(await screen.findByTestId("source-use"));
  expect(await screen.findByTestId("sources-failure")).toHaveTextContent("It is gone.");
});

it("asks before it deletes, and says that what is cached stays", async () => {
  const { fake, user } = await open();
  const view = await fake.backend.sourceView();
  vi.mocked(fake.backend.deleteSource).mockResolvedValue({ ...view, sources: [archive], in_use: null });
  await user.click(screen.getByTestId("source-button"));
  await user.click((await screen.findAllByTestId("source-delete"))[0] ?? document.body);
  expect(fake.backend.deleteSource).not.toHaveBeenCalled();
  expect(await screen.findByText(/What is cached of it stays/)).toBeVisible();
  await user.click(screen.getByTestId("source-delete-confirm"));
  expect(fake.backend.deleteSource).toHaveBeenCalledExactlyOnceWith("1");
  await waitFor(() => expect(screen.getAllByTestId("source-item")).toHaveLength(1));
});

it("withdraws the question with Escape, and leaves the list open", async () => {
  const { user } = await open();
  await user.click(screen.getByTestId("source-button"));
  await user.click((await screen.findAllByTestId("source-delete"))[0] ?? document.body);
  await waitFor(() => expect(screen.getByTestId("source-delete-cancel")).toHaveFocus());
  await user.keyboard("{Escape}");
  expect(screen.queryByTestId("source-delete-confirm")).not.toBeInTheDocument();
  expect(screen.getByTestId("sources-dialog")).toBeInTheDocument();
});

it("duplicates a source with its secrets and a name of its own", async () => {
  const { fake, user } = await open();
  await user.click(screen.getByTestId("source-button"));
  await user.click((await screen.findAllByTestId("source-duplicate"))[0] ?? document.body);
  expect(await screen.findByTestId("source-name")).toHaveValue("desk copy");
  expect(screen.getByTestId("source-password")).toHaveAttribute("placeholder", "Kept in the keychain");
  await user.click(screen.getByTestId("source-save"));
  await screen.findByTestId("sources-dialog");
  const [draft] = vi.mocked(fake.backend.saveSource).mock.lastCall ?? [];
  expect(draft).toMatchObject({ id: null, secrets_of: "1", name: "desk copy", colour: "red" });
  expect(fake.backend.connect).not.toHaveBeenCalled();
});

it("reads the view again if the new source was reported before the switch was answered", async () => {
  const { fake, user } = await open();
  const view = await fake.backend.sourceView();
  const answer = later<SourceView>();
  vi.mocked(fake.backend.useSource).mockReturnValue(answer.promise);
  await user.click(screen.getByTestId("source-button"));
  await user.click(await screen.findByTestId("source-use"));
  fake.connection({ state: "offline", failure: makeFailure("source_unreachable", "No server answers.") });
  const next = switched(view);
  vi.mocked(fake.backend.sourceView).mockResolvedValue({ ...next, connection: view.connection });
  answer.resolve(next);
  await waitFor(() => expect(screen.getByTestId("connection-status")).toHaveTextContent("Online"));
  expect(screen.getByTestId("source-button")).toHaveTextContent("archive");
});

it("offers in the menu of a source what its buttons do, and to copy where it is", async () => {
  const { fake, user } = await open();
  await user.click(screen.getByTestId("source-button"));
  const [first, second] = await screen.findAllByTestId("source-item");
  fireEvent.contextMenu(first ?? document.body, { clientX: 9, clientY: 9 });
  expect(await screen.findByRole("menuitem", { name: "Use" })).toHaveAttribute("aria-disabled", "true");
  await user.keyboard("{Escape}");
  fireEvent.contextMenu(second ?? document.body, { clientX: 9, clientY: 9 });
  await user.click(await screen.findByRole("menuitem", { name: "Copy the connection string" }));
  expect(fake.backend.copyText).toHaveBeenLastCalledWith("mongodb://db2");
});

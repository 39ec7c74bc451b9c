// Proposing a mapping from the documents of a source.

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { openApp, openForm } from "./openApp";
import type { Proposal } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeFailure, makePart, makeProposal } from "../test/made";

async function openDialog(fake = makeFake()) {
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  return { fake, user };
}

it("puts what was proposed into the mapping, and says why and what will be slow", async () => {
  const { fake, user } = await openDialog();
  const warning = {
    code: "no_day_index" as const,
    message: "No index.",
    fix: "db.createIndex()",
    choices: [],
  };
  vi.mocked(fake.backend.proposeMapping).mockResolvedValue(makeProposal({ warnings: [warning] }));
  vi.mocked(fake.backend.changeMapping).mockImplementation((text) =>
    Promise.resolve({ text, parts: [makePart()], problem: null }),
  );
  await user.click(screen.getByTestId("source-propose"));
  await waitFor(() =>
    expect(screen.getByTestId<HTMLTextAreaElement>("source-mapping").value).toContain('"trade_id": "dealNo"'),
  );
  const row = within(await screen.findByTestId("proposed-trade_id"));
  expect(row.getByText("Sure")).toBeInTheDocument();
  expect(row.getByText("its name says so")).toBeInTheDocument();
  await user.click(within(screen.getByTestId("proposal-warning")).getByRole("button", { name: "Copy" }));
  expect(fake.backend.copyText).toHaveBeenCalledWith("db.createIndex()");
  await user.click(screen.getByTestId("source-connect"));
  expect(vi.mocked(fake.backend.connect).mock.lastCall?.[1].profile.mapping).toContain("dealNo");
});

it("keeps what was typed if nothing can be proposed", async () => {
  const { fake, user } = await openDialog();
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await user.type(mapping, "mine");
  vi.mocked(fake.backend.proposeMapping).mockRejectedValue(
    makeFailure("not_authorized", "You may not read it."),
  );
  await user.click(screen.getByTestId("source-propose"));
  expect(await screen.findByTestId("source-propose-failure")).toHaveTextContent("You may not read it.");
  expect(mapping.value).toBe("mine");
});

it("stops reading when the dialog is closed", async () => {
  const { fake, user } = await openDialog();
  vi.mocked(fake.backend.proposeMapping).mockReturnValue(later<Proposal>().promise);
  await user.click(screen.getByTestId("source-propose"));
  await screen.findByText(/Reading documents/);
  await user.click(screen.getByTestId("source-close"));
  const id = vi.mocked(fake.backend.proposeMapping).mock.lastCall?.[0];
  await waitFor(() => expect(fake.backend.cancelConnect).toHaveBeenCalledWith(id));
});

it("proposes by itself once the collection of a new source is named", async () => {
  const fake = makeFake({ profile: null });
  vi.mocked(fake.backend.listDatabases).mockResolvedValue([]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([]);
  const { user } = await openDialog(fake);
  await user.type(screen.getByTestId("source-uri"), "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades");
  expect(fake.backend.proposeMapping).not.toHaveBeenCalled();
  await user.click(screen.getByTestId("source-password"));
  await waitFor(() => expect(fake.backend.proposeMapping).toHaveBeenCalledOnce());
  const [, draft] = vi.mocked(fake.backend.proposeMapping).mock.lastCall ?? [];
  expect(draft?.profile).toMatchObject({ uri: "mongodb://db1", database: "desk", collection: "trades" });
  expect(await screen.findByTestId("proposal")).toBeInTheDocument();
});

it("does not replace a mapping that was typed while documents were read", async () => {
  const { fake, user } = await openDialog();
  const found = later<Proposal>();
  vi.mocked(fake.backend.proposeMapping).mockReturnValue(found.promise);
  await user.click(screen.getByTestId("source-propose"));
  await screen.findByText(/Reading documents/);
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await user.type(mapping, "mine");
  found.resolve(makeProposal());
  expect(await screen.findByTestId("proposal")).toBeInTheDocument();
  expect(mapping.value).toBe("mine");
});

it("stops reading if asked", async () => {
  const { fake, user } = await openDialog();
  vi.mocked(fake.backend.proposeMapping).mockReturnValue(later<Proposal>().promise);
  await user.click(screen.getByTestId("source-propose"));
  await user.click(await screen.findByTestId("source-propose-stop"));
  await waitFor(() => expect(fake.backend.cancelConnect).toHaveBeenCalledOnce());
  expect(screen.queryByTestId("source-propose-failure")).not.toBeInTheDocument();
});

it("takes nothing over from a collection that was left meanwhile", async () => {
  const fake = makeFake({ profile: null });
  vi.mocked(fake.backend.listDatabases).mockResolvedValue([]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([]);
  const { user } = await openDialog(fake);
  const found = later<Proposal>();
  vi.mocked(fake.backend.proposeMapping).mockReturnValueOnce(found.promise);
  await user.type(screen.getByTestId("source-uri"), "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades{Tab}");
  await waitFor(() => expect(fake.backend.proposeMapping).toHaveBeenCalledOnce());
  await user.type(screen.getByTestId("source-collection"), "2{Tab}");
  await waitFor(() => expect(fake.backend.cancelConnect).toHaveBeenCalledOnce());
  found.resolve(makeProposal({ mapping: { version: 1, trade_id: "old" } }));
  await waitFor(() => expect(fake.backend.proposeMapping).toHaveBeenCalledTimes(2));
  expect(vi.mocked(fake.backend.proposeMapping).mock.lastCall?.[1].profile.collection).toBe("trades2");
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await waitFor(() => expect(mapping.value).toContain("dealNo"));
});

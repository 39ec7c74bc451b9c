// Proposing a mapping from the documents of a source.

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
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

/** A new source whose collection `trades` has been read; each collection suggests its own trade id. */
async function openProposed() {
  const fake = makeFake({ profile: null });
  vi.mocked(fake.backend.listDatabases).mockResolvedValue([]);
  vi.mocked(fake.backend.listCollections).mockResolvedValue([]);
  vi.mocked(fake.backend.proposeMapping).mockImplementation((_id, { profile }) =>
    Promise.resolve(makeProposal({ mapping: { version: 1, trade_id: `${profile.collection}No` } })),
  );
  const { user } = await openDialog(fake);
  await user.type(screen.getByTestId("source-uri"), "mongodb://db1");
  await user.type(screen.getByTestId("source-database"), "desk");
  await user.type(screen.getByTestId("source-collection"), "trades{Tab}");
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await waitFor(() => expect(mapping.value).toContain("tradesNo"));
  const lastAsked = () => vi.mocked(fake.backend.proposeMapping).mock.lastCall?.[1].profile;
  return { fake, user, mapping, lastAsked };
}

it("replaces a proposed mapping by itself when the collection is changed, and when it is changed back", async () => {
  const { fake, user, lastAsked } = await openProposed();
  // There is no such field while no collection is named.
  const mapping = () => screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  const collection = screen.getByTestId("source-collection");
  await user.clear(collection);
  await user.type(collection, "exec{Tab}");
  await waitFor(() => expect(mapping().value).toContain("execNo"));
  expect(lastAsked()).toMatchObject({ collection: "exec", mapping: "" });
  await user.clear(collection);
  await user.type(collection, "trades{Tab}");
  await waitFor(() => expect(mapping().value).toContain("tradesNo"));
  expect(fake.backend.proposeMapping).toHaveBeenCalledTimes(3);
});

it("replaces a proposed mapping when the server is changed, as text and as a form", async () => {
  const { user, mapping, lastAsked } = await openProposed();
  await user.click(screen.getByTestId("source-form-section"));
  await user.type(screen.getByTestId("source-uri"), "9{Tab}");
  await waitFor(() => expect(lastAsked()).toMatchObject({ uri: "mongodb://db19", mapping: "" }));
  await waitFor(() => expect(mapping.value).toContain("tradesNo"));
  const hosts = await screen.findByTestId("source-form-hosts");
  await user.type(hosts, "8");
  expect(mapping).toHaveValue("");
  await user.tab();
  await waitFor(() => expect(lastAsked()).toMatchObject({ uri: "mongodb://db198/", mapping: "" }));
  await waitFor(() => expect(mapping.value).toContain("tradesNo"));
});

it("shows nothing of a former collection while the new one is read, nor if it cannot be read", async () => {
  const { fake, user, mapping } = await openProposed();
  const found = later<Proposal>();
  vi.mocked(fake.backend.proposeMapping).mockReturnValueOnce(found.promise);
  await user.type(screen.getByTestId("source-collection"), "2{Tab}");
  await screen.findByText(/Reading documents/);
  expect(screen.queryByTestId("proposal")).not.toBeInTheDocument();
  expect(mapping).toHaveValue("");
  found.reject(makeFailure("not_authorized", "You may not read it."));
  expect(await screen.findByTestId("source-propose-failure")).toHaveTextContent("You may not read it.");
  expect(mapping).toHaveValue("");
  await user.click(screen.getByTestId("source-connect"));
  await waitFor(() => expect(fake.backend.connect).toHaveBeenCalledOnce());
  expect(vi.mocked(fake.backend.connect).mock.lastCall?.[1].profile.mapping).toContain("trades2No");
});

it("saves no mapping that was proposed for a different collection", async () => {
  const { fake, user } = await openProposed();
  await user.type(screen.getByTestId("source-collection"), "2");
  await user.click(screen.getByTestId("source-save"));
  await waitFor(() => expect(fake.backend.saveSource).toHaveBeenCalledOnce());
  expect(vi.mocked(fake.backend.saveSource).mock.lastCall?.[0].profile).toMatchObject({
    collection: "trades2",
    mapping: "",
  });
});

it("takes only what somebody changed to a different collection", async () => {
  const { fake, user, mapping, lastAsked } = await openProposed();
  fireEvent.change(mapping, {
    target: { value: '{"version": 1, "trade_id": "tradesNo", "status": "state"}' },
  });
  await user.type(screen.getByTestId("source-collection"), "2");
  const typed = { version: 1, status: "state" };
  await waitFor(() => expect(JSON.parse(mapping.value)).toEqual(typed));
  await user.tab();
  await waitFor(() => expect(mapping.value).toContain("trades2No"));
  expect(JSON.parse(lastAsked()?.mapping ?? "")).toEqual(typed);
  expect(fake.backend.proposeMapping).toHaveBeenCalledTimes(2);
});

it("leaves text that cannot be read alone, without what was read of a different collection", async () => {
  const { fake, user, mapping, lastAsked } = await openProposed();
  await user.type(mapping, " mine");
  const typed = mapping.value;
  await user.type(screen.getByTestId("source-collection"), "2{Tab}");
  expect(screen.queryByTestId("proposal")).not.toBeInTheDocument();
  await new Promise((done) => setTimeout(done, 400));
  expect(fake.backend.proposeMapping).toHaveBeenCalledOnce();
  expect(mapping).toHaveValue(typed);
  await user.click(screen.getByTestId("source-propose"));
  await waitFor(() => expect(lastAsked()).toMatchObject({ collection: "trades2", mapping: typed }));
});

it("proposes anew in place of a mapping that was only proposed, with what had been typed before", async () => {
  const { fake, user } = await openDialog();
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await user.type(mapping, "mine");
  await user.click(screen.getByTestId("source-propose"));
  await waitFor(() => expect(mapping.value).toContain("dealNo"));
  vi.mocked(fake.backend.proposeMapping).mockResolvedValue(
    makeProposal({ mapping: { version: 1, trade_id: "other" } }),
  );
  await user.click(screen.getByTestId("source-propose"));
  await waitFor(() => expect(mapping.value).toContain("other"));
  expect(vi.mocked(fake.backend.proposeMapping).mock.lastCall?.[1].profile.mapping).toBe("mine");
});

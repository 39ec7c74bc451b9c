// Proposing a mapping from the documents of a source.

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { openApp } from "./openApp";
import type { Proposal } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { later } from "../test/later";
import { makeFailure, makeProposal } from "../test/made";

async function openDialog(fake = makeFake()) {
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("source-button"));
  await screen.findByTestId("source-dialog");
  return { fake, user };
}

it("puts what was proposed into the mapping, and says why and what will be slow", async () => {
  const { fake, user } = await openDialog();
  const warning = { code: "no_day_index" as const, message: "No index.", fix: "db.createIndex()" };
  vi.mocked(fake.backend.proposeMapping).mockResolvedValue(makeProposal({ warnings: [warning] }));
  await user.click(screen.getByTestId("source-propose"));
  await waitFor(() =>
    expect(screen.getByTestId<HTMLTextAreaElement>("source-mapping").value).toContain('"trade_id": "dealNo"'),
  );
  const row = within(screen.getByTestId("proposed-trade_id"));
  expect(row.getByText("Sure")).toBeInTheDocument();
  expect(row.getByText("its name says so")).toBeInTheDocument();
  await user.click(within(screen.getByTestId("proposal-warning")).getByRole("button", { name: "Copy" }));
  expect(fake.backend.copyText).toHaveBeenCalledWith("db.createIndex()");
  await user.click(screen.getByTestId("source-connect"));
  expect(vi.mocked(fake.backend.connect).mock.lastCall?.[1].mapping).toContain("dealNo");
});

it("keeps what was typed if nothing can be proposed", async () => {
  const { fake, user } = await openDialog();
  const mapping = screen.getByTestId<HTMLTextAreaElement>("source-mapping");
  await user.type(mapping, "mine");
  vi.mocked(fake.backend.proposeMapping).mockRejectedValue(
    makeFailure("not_authorized", "You may not read it."),
  );
  await user.click(screen.getByTestId("source-propose"));
  expect(await screen.findByTestId("source-failure")).toHaveTextContent("You may not read it.");
  expect(mapping.value).toBe("mine");
});

it("stops reading when the dialog is closed", async () => {
  const { fake, user } = await openDialog();
  vi.mocked(fake.backend.proposeMapping).mockReturnValue(later<Proposal>().promise);
  await user.click(screen.getByTestId("source-propose"));
  expect(screen.getByTestId("source-propose")).toHaveTextContent("Reading documents");
  await user.click(screen.getByTestId("source-close"));
  const id = vi.mocked(fake.backend.proposeMapping).mock.lastCall?.[0];
  await waitFor(() => expect(fake.backend.cancelConnect).toHaveBeenCalledWith(id));
});

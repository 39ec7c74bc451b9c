import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { BackendContext } from "../backend/context";
import { makeFake } from "../test/fakeBackend";
import { DatabaseTeamDialog } from "./DatabaseTeamDialog";
import { Document } from "./Document";

it("shows the document of the repository, with tables and code to copy", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  const close = vi.fn();
  render(
    <BackendContext value={fake.backend}>
      <DatabaseTeamDialog close={close} />
    </BackendContext>,
  );
  const dialog = within(screen.getByTestId("database-team-dialog"));
  expect(await dialog.findByRole("heading", { name: "What it reads" })).toBeInTheDocument();
  expect(dialog.getAllByRole("table")).not.toHaveLength(0);
  await user.click(dialog.getByRole("button", { name: /^Copy db\.getSiblingDB\("trading"\)/ }));
  expect(vi.mocked(fake.backend.copyText).mock.lastCall?.[0]).toMatch(/createRole[^]*grantRolesToUser/);
  await user.click(dialog.getByTestId("database-team-copy"));
  expect(vi.mocked(fake.backend.copyText).mock.lastCall?.[0]).toMatch(/^# For the database team/);
  await user.click(dialog.getByRole("button", { name: "Close" }));
  expect(close).toHaveBeenCalledOnce();
});

it("shows links and pictures as text, and no markup of a document", () => {
  render(<Document text={"[docs](https://example.com/a) ![chart](a.png) <b onclick='x'>bold</b>"} />);
  expect(screen.getByText(/docs \(https:\/\/example\.com\/a\) chart/)).toBeInTheDocument();
  expect(document.querySelector("a, img, b")).toBeNull();
});

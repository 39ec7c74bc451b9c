// The window over a fake backend.

import { QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { expect } from "vitest";

import type { Answer } from "../backend";
import { BackendContext } from "../backend/context";
import { type Fake, makeFake } from "../test/fakeBackend";
import { makeAnswer } from "../test/made";
import { App } from "./App";
import { makeQueryClient } from "./queryClient";

export async function openApp(fake: Fake): Promise<void> {
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <BackendContext value={fake.backend}>
        <App />
      </BackendContext>
    </QueryClientProvider>,
  );
  await screen.findByTestId("fetch-button");
}

/** Presses Fetch, and ends the run with an answer. */
export async function fetchAnswer(user: UserEvent, fake: Fake, answer: Answer = makeAnswer()): Promise<void> {
  await user.click(screen.getByTestId("fetch-button"));
  act(() => fake.finish(answer));
}

/** Opens the form of the first source, or of a new one if there is none. */
export async function openForm(user: UserEvent): Promise<void> {
  await user.click(screen.getByTestId("source-button"));
  const edit = screen.queryAllByTestId("source-edit")[0];
  if (edit !== undefined) await user.click(edit);
  await screen.findByTestId("source-dialog");
}

/** A window with the form of a new source, unless the backend has one. */
export async function openNewSource(
  fake = makeFake({ profile: null, connection: { state: "not_configured" } }),
) {
  const user = userEvent.setup();
  await openApp(fake);
  await openForm(user);
  return { fake, user };
}

/** Pastes a connection string into a form that was just opened. */
export async function pasteString(user: UserEvent, text: string): Promise<void> {
  await waitFor(() => expect(screen.getByTestId("source-uri")).toHaveFocus());
  await user.paste(text);
}

/** Opens the details of the plan and the answer. */
export async function openDetails(user: UserEvent): Promise<void> {
  await user.click(await screen.findByTestId("answer-toggle"));
  expect(screen.getByTestId("answer-toggle")).toHaveAttribute("aria-expanded", "true");
}

/** Unfolds the form, which folds when an answer arrives. */
export async function unfold(user: UserEvent): Promise<void> {
  await user.click(await screen.findByTestId("form-unfold"));
  await waitFor(() => expect(screen.getByTestId("panel-toggle")).toHaveAttribute("aria-expanded", "true"));
}

// The window over a fake backend.

import { QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";

import type { Answer } from "../backend";
import { BackendContext } from "../backend/context";
import type { Fake } from "../test/fakeBackend";
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

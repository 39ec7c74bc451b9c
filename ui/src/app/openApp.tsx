// The window over a fake backend.

import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";

import { BackendContext } from "../backend/context";
import type { Fake } from "../test/fakeBackend";
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

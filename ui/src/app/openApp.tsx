// The window over a fake backend.

import { render, screen } from "@testing-library/react";

import { BackendContext } from "../backend/context";
import type { Fake } from "../test/fakeBackend";
import { App } from "./App";

export async function openApp(fake: Fake): Promise<void> {
  render(
    <BackendContext value={fake.backend}>
      <App />
    </BackendContext>,
  );
  await screen.findByTestId("fetch-button");
}

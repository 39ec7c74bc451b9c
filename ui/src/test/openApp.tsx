// The window over a fake backend.

import { render, screen } from "@testing-library/react";

import { App } from "../App";
import type { Failure } from "../backend";
import { BackendContext } from "../state/backendContext";
import type { Fake } from "./fakeBackend";

export async function openApp(fake: Fake): Promise<void> {
  render(
    <BackendContext value={fake.backend}>
      <App />
    </BackendContext>,
  );
  await screen.findByTestId("fetch-button");
}

export function makeFailure(code: Failure["code"], message: string): Failure {
  return { code, message, next: "Do.", cause: "why" };
}

/** A promise that a test settles when it likes. */
export function later<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (why: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (why: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

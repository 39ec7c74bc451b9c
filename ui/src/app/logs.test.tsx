// The log: what goes wrong in the window is written there, and its files are a press away.

import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { BackendContext } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { makeFake } from "../test/fakeBackend";
import { makeFailure } from "../test/made";
import { ErrorBoundary } from "./ErrorBoundary";
import { openApp } from "./openApp";
import { logProblems, problemText } from "./problems";

it("shows the log files from the list of keys, or says where they are", async () => {
  const user = userEvent.setup();
  const fake = makeFake();
  const failure = { ...makeFailure("export_failed", "It could not be opened."), next: "They are in /logs." };
  vi.mocked(fake.backend.showLogs).mockRejectedValueOnce(failure);
  await openApp(fake);
  await user.keyboard("{F1}");
  await user.click(await screen.findByRole("button", { name: "Show logs" }));
  expect(await screen.findByText("It could not be opened. They are in /logs.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show logs" }));
  expect(screen.queryByText(/They are in/)).not.toBeInTheDocument();
  expect(fake.backend.showLogs).toHaveBeenCalledTimes(2);
});

it("has the log files among the technical details of a failure", async () => {
  const user = userEvent.setup();
  const { backend } = makeFake();
  const failure = { ...makeFailure("internal", "It went wrong."), cause: "a reason" };
  render(
    <BackendContext value={backend}>
      <FailureNote failure={failure} />
    </BackendContext>,
  );
  await user.click(screen.getByText("Technical details"));
  await user.click(screen.getByText("Show logs"));
  expect(backend.showLogs).toHaveBeenCalledOnce();
});

it.each([false, true])(
  "names the code and the run of a failure without a cause (compact: %s)",
  async (compact) => {
    const user = userEvent.setup();
    const { backend } = makeFake();
    const failure = { ...makeFailure("not_cached", "Nothing is cached."), cause: null, run: "1a2b3c4d" };
    render(
      <BackendContext value={backend}>
        <FailureNote failure={failure} compact={compact} />
      </BackendContext>,
    );
    await user.click(screen.getByText(compact ? "Details" : "Technical details"));
    expect(screen.getByText("not_cached (run 1a2b3c4d)")).toBeInTheDocument();
    await user.click(screen.getByText("Show logs"));
    expect(backend.showLogs).toHaveBeenCalledOnce();
  },
);

it("logs what breaks a part of the window", () => {
  const { backend } = makeFake();
  const quiet = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const Broken = () => {
    throw new TypeError("no such thing");
  };
  render(
    <BackendContext value={backend}>
      <ErrorBoundary what="The rows">
        <Broken />
      </ErrorBoundary>
    </BackendContext>,
  );
  quiet.mockRestore();
  const text = expect.stringContaining("The rows could not be shown: TypeError: no such thing") as string;
  expect(backend.logProblem).toHaveBeenCalledWith(text);
});

it("logs what nothing else catches, and nothing of what was typed", () => {
  const { backend } = makeFake();
  logProblems(backend);
  fireEvent(window, Object.assign(new Event("unhandledrejection"), { reason: "lost" }));
  expect(backend.logProblem).toHaveBeenLastCalledWith("unhandled: lost");
  fireEvent(window, Object.assign(new Event("error"), { error: new RangeError("too far") }));
  const text = expect.stringContaining("RangeError: too far") as string;
  expect(backend.logProblem).toHaveBeenLastCalledWith(text);
  expect(problemText(makeFailure("bad_filter", "Brent is not a number."))).toBe("failure bad_filter");
});

import { fireEvent, render } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { keysOf } from "../controls/keys";
import { press } from "../controls/press";
import { type Shortcuts, useShortcuts } from "./useShortcuts";

function Window({ shortcuts }: { shortcuts: Shortcuts }) {
  useShortcuts(shortcuts);
  return null;
}

/** Every command of the window, in place of what it does. */
function makeShortcuts() {
  const commands = new Set(keysOf("window").map(([, command]) => command));
  const handlers = Object.fromEntries([...commands, "selectRows"].map((command) => [command, vi.fn()]));
  render(<Window shortcuts={handlers as unknown as Shortcuts} />);
  return handlers;
}

it.each(keysOf("window"))("does something on %s: %s", (key, command) => {
  const handlers = makeShortcuts();
  fireEvent.keyDown(document.body, press(key));
  for (const [name, handler] of Object.entries(handlers))
    expect([name, handler.mock.calls.length]).toEqual([name, name === command ? 1 : 0]);
});

it("leaves to an open dialog what is not for it", () => {
  const handlers = makeShortcuts();
  render(<div role="dialog" />);
  for (const [key] of keysOf("window")) fireEvent.keyDown(document.body, press(key));
  const called = Object.keys(handlers).filter((name) => handlers[name]?.mock.calls.length);
  expect(called).toEqual(["larger", "smaller", "usual"]);
});

// The settings: what they change in the window, and what the window says of them.

import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { SettingsChange, SettingsView } from "../backend";
import { makeFake } from "../test/fakeBackend";
import { makeAnswer, makeFailure, makeSettings } from "../test/made";
import { fetchAnswer, openApp } from "./openApp";

vi.mock("../rows/grid/GridView", () => ({
  GridView: ({ content }: { content: { length: number } }) => <div data-testid="grid">{content.length}</div>,
}));

/** A window whose settings are these, and can be changed. */
async function openWith(part: Partial<SettingsView> = {}) {
  const fake = makeFake();
  let settings = makeSettings(part);
  vi.mocked(fake.backend.settings).mockImplementation(() => Promise.resolve(settings));
  vi.mocked(fake.backend.changeSettings).mockImplementation((change: SettingsChange) => {
    if (change.setting === "theme") settings = { ...settings, theme: change.theme };
    if (change.setting === "zone") settings = { ...settings, zone: change.zone };
    if (change.setting === "memory_limit") settings = { ...settings, memory_limit: change.bytes };
    return Promise.resolve(settings);
  });
  const user = userEvent.setup();
  await openApp(fake);
  return { fake, user };
}

const theme = () => document.documentElement.dataset.theme;

it("takes the theme from the settings, and remembers it for the first moment of the next start", async () => {
  const { fake, user } = await openWith({ theme: "dark" });
  await waitFor(() => expect(theme()).toBe("dark"));
  expect(localStorage.getItem("tidemark.theme")).toBe('"dark"');
  await user.click(screen.getByTestId("theme-toggle"));
  expect(fake.backend.changeSettings).toHaveBeenCalledWith({ setting: "theme", theme: "system" });
  await waitFor(() => expect(theme()).toBe("light"));
  await user.keyboard("{Control>},{/Control}");
  await user.click(await screen.findByTestId("settings-theme-dark"));
  await waitFor(() => expect(theme()).toBe("dark"));
});

it("shows times in the zone that is chosen", async () => {
  const { fake, user } = await openWith();
  await fetchAnswer(user, fake, makeAnswer({ oldest_fetch: "2025-07-03T09:30:00Z" }));
  const fetched = await screen.findByTestId("answer-oldest-fetch");
  expect(fetched).toHaveTextContent("2025-07-03 10:30");
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-zone-utc"));
  expect(fake.backend.changeSettings).toHaveBeenCalledWith({ setting: "zone", zone: "utc" });
  await waitFor(() => expect(fetched).toHaveTextContent("2025-07-03 09:30"));
});

it("leaves it to the engine whether a memory limit will do", async () => {
  const { fake, user } = await openWith();
  await user.click(screen.getByTestId("settings-button"));
  const input = await screen.findByTestId("settings-memory");
  expect(input).toHaveAttribute("placeholder", "768");
  await user.type(input, "many");
  await user.click(screen.getByTestId("settings-memory-set"));
  expect(screen.getByTestId("settings-memory-problem")).toHaveTextContent("Enter a number");
  expect(fake.backend.changeSettings).not.toHaveBeenCalled();
  await user.clear(input);
  vi.mocked(fake.backend.changeSettings).mockRejectedValueOnce(makeFailure("out_of_memory", "Too little."));
  await user.type(input, "1{Enter}");
  expect(await screen.findByText(/Too little\./)).toBe(screen.getByTestId("settings-memory-problem"));
  expect(screen.queryByTestId("settings-failure")).not.toBeInTheDocument();
  await user.clear(input);
  await user.type(input, "512{Enter}");
  await waitFor(() =>
    expect(fake.backend.changeSettings).toHaveBeenLastCalledWith({
      setting: "memory_limit",
      bytes: 536_870_912,
    }),
  );
  await waitFor(() => expect(screen.queryByTestId("settings-memory-problem")).not.toBeInTheDocument());
});

it("moves the cache, unless its folder is fixed or a fetch is running", async () => {
  const { fake, user } = await openWith();
  vi.mocked(fake.backend.moveCache).mockResolvedValue(makeSettings({ cache_folder: "/disk2" }));
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-move"));
  await waitFor(() => expect(screen.getByTestId("settings-folder")).toHaveTextContent("/disk2"));
  await user.click(screen.getByTestId("settings-close"));
  await user.click(screen.getByTestId("fetch-button"));
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-move"));
  expect(fake.backend.moveCache).toHaveBeenCalledOnce();
});

it("plans again once the cache is where it was moved to", async () => {
  const { fake, user } = await openWith();
  let finish: (moved: SettingsView | null) => void = () => undefined;
  vi.mocked(fake.backend.moveCache).mockReturnValue(new Promise((resolve) => (finish = resolve)));
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-move"));
  const plan = vi.mocked(fake.backend.plan);
  plan.mockClear();
  act(() => finish(makeSettings({ cache_folder: "/disk2" })));
  await waitFor(() => expect(plan).toHaveBeenCalled());
});

it("says why the folder is fixed", async () => {
  const { user } = await openWith({ cache_folder_is_fixed: "TIDEMARK_CACHE sets it." });
  await user.click(screen.getByTestId("settings-button"));
  expect(await screen.findByTestId("settings-move-hint")).toHaveTextContent("TIDEMARK_CACHE sets it.");
  expect(screen.getByTestId("settings-move")).toHaveAttribute("aria-disabled", "true");
});

it("says once what became of damaged settings", async () => {
  const { user } = await openWith({ notice: "The settings could not be read." });
  const note = await screen.findByTestId("settings-note");
  expect(note).toHaveTextContent("The settings could not be read.");
  await user.click(within(note).getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("settings-note")).not.toBeInTheDocument();
  await user.click(screen.getByTestId("settings-button"));
  expect(await screen.findByTestId("settings-notice")).toBeInTheDocument();
});

it("leaves no failure in the window that was shown in the dialog, and none whose cause has ended", async () => {
  const { fake, user } = await openWith();
  vi.mocked(fake.backend.moveCache).mockRejectedValue(makeFailure("cache_busy", "A fetch is running."));
  await user.click(screen.getByTestId("settings-button"));
  await user.click(await screen.findByTestId("settings-move"));
  expect(await screen.findByTestId("settings-failure")).toHaveTextContent("A fetch is running.");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByTestId("settings-dialog")).not.toBeInTheDocument());
  expect(screen.queryByTestId("settings-note-failure")).not.toBeInTheDocument();

  await user.click(screen.getByTestId("fetch-button"));
  await user.click(screen.getByTestId("settings-button"));
  vi.mocked(fake.backend.changeSettings).mockRejectedValueOnce(makeFailure("cache_busy", "Busy."));
  await user.click(await screen.findByTestId("settings-zone-utc"));
  expect(await screen.findByTestId("settings-failure")).toHaveTextContent("Busy.");
  act(() => fake.finish(makeAnswer()));
  await waitFor(() => expect(screen.queryByTestId("settings-failure")).not.toBeInTheDocument());
});

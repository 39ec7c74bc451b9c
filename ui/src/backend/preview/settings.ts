import type { Backend } from "..";
import type { SettingsView } from "../types";

type Calls = Pick<Backend, "settings" | "changeSettings" | "moveCache" | "openRequest" | "onOpenRequest">;

/** Settings that last as long as the page. */
export function settingsCalls(): Calls {
  let held: SettingsView = {
    cache_folder: "~/.local/share/tidemark/cache",
    cache_folder_is_fixed: null,
    memory_limit: null,
    default_memory_limit: 805_306_368,
    least_memory_limit: 268_435_456,
    theme: "system",
    zone: "days",
    file: "~/.config/tidemark/settings.json",
    notice: null,
  };
  return {
    settings: () => Promise.resolve(held),
    changeSettings(change) {
      if (change.setting === "memory_limit") held = { ...held, memory_limit: change.bytes };
      else if (change.setting === "theme") held = { ...held, theme: change.theme };
      else held = { ...held, zone: change.zone };
      return Promise.resolve(held);
    },
    moveCache() {
      held = { ...held, cache_folder: "~/tidemark-cache" };
      return Promise.resolve(held);
    },
    openRequest: () => Promise.resolve(null),
    onOpenRequest: () => () => undefined,
  };
}

import { useEffect } from "react";

import type { Theme } from "../backend";
import { useStored } from "../controls/useStored";
import type { Settings } from "../settings/useSettings";

const CHOICES: Theme[] = ["system", "light", "dark"];

/** The chosen theme, put on the root element, and a way to step to the next choice. */
export function useTheme(settings: Settings): { choice: Theme; next: () => void } {
  // What was chosen last is a guess until the settings are known: otherwise a dark window would flash at the start.
  const [stored, store] = useStored<Theme>("tidemark.theme", "system");
  const set = settings.view?.theme ?? null;
  const choice = set ?? (CHOICES.includes(stored) ? stored : "system");
  useEffect(() => {
    if (set !== null && set !== stored) store(set);
  }, [set, stored, store]);

  useEffect(() => {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      // `?theme=` wins, for screenshots.
      const asked = new URLSearchParams(location.search).get("theme") ?? choice;
      const dark = asked === "dark" || (asked !== "light" && system.matches);
      document.documentElement.dataset.theme = dark ? "dark" : "light";
    };
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [choice]);

  const { change } = settings;
  return {
    choice,
    next: () => {
      const theme = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "system";
      void change({ setting: "theme", theme });
    },
  };
}

import { useEffect } from "react";

import { useStored } from "../controls/useStored";

export type ThemeChoice = "system" | "light" | "dark";

const CHOICES: ThemeChoice[] = ["system", "light", "dark"];

/** The chosen theme, put on the root element, and a way to step to the next choice. */
export function useTheme(): { choice: ThemeChoice; next: () => void } {
  const [stored, setChoice] = useStored<ThemeChoice>("tidemark.theme", "system");
  const choice = CHOICES.includes(stored) ? stored : "system";

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

  return {
    choice,
    next: () => setChoice(CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "system"),
  };
}

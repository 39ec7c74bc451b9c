import { useEffect } from "react";

/** How long an announcement stays. */
const ANNOUNCEMENT_MS = 8000;

/** Takes an announcement back after a while. */
export function useFading(announcement: string, announce: (text: string) => void): void {
  useEffect(() => {
    if (announcement === "") return;
    const timer = setTimeout(() => announce(""), ANNOUNCEMENT_MS);
    return () => clearTimeout(timer);
  }, [announcement, announce]);
}

import { useEffect, useState } from "react";

/** How long an announcement stays. */
const ANNOUNCEMENT_MS = 8000;

/** What has been done, said for a while below the rows. */
export function useAnnouncement(): [string, (text: string) => void] {
  const [announcement, announce] = useState("");
  useEffect(() => {
    if (announcement === "") return;
    const timer = setTimeout(() => announce(""), ANNOUNCEMENT_MS);
    return () => clearTimeout(timer);
  }, [announcement]);
  return [announcement, announce];
}

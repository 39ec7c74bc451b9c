import { useEffect, useState } from "react";

/** What changes colours, besides the attribute of the theme. */
const QUERIES = ["(prefers-contrast: more)", "(forced-colors: active)"];

/** A number that changes with the theme, for what does not follow it by style: a canvas. */
export function useThemeStamp(): number {
  const [stamp, setStamp] = useState(0);
  useEffect(() => {
    const changed = () => setStamp((held) => held + 1);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const asked = QUERIES.map((query) => window.matchMedia(query));
    for (const query of asked) query.addEventListener("change", changed);
    return () => {
      observer.disconnect();
      for (const query of asked) query.removeEventListener("change", changed);
    };
  }, []);
  return stamp;
}

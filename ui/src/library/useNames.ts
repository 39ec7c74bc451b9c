import { useStored } from "../controls/useStored";

/** The names that queries were given, by signature. */
export type Names = Readonly<Record<string, string>>;

/** The longest name, in characters. */
export const MAX_NAME = 80;

/** Names of cached queries, kept for the next start. A blank name is none. */
export function useNames(): [Names, (signature: string, name: string) => void] {
  const [stored, store] = useStored<Names>("tidemark.queryNames", {});
  const names = typeof stored === "object" && stored !== null ? stored : {};
  const rename = (signature: string, name: string) => {
    const rest = Object.fromEntries(Object.entries(names).filter(([of]) => of !== signature));
    const text = name.trim().slice(0, MAX_NAME);
    store(text === "" ? rest : { ...rest, [signature]: text });
  };
  return [names, rename];
}

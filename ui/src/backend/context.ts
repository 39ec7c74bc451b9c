import { createContext, useContext } from "react";

import type { Backend } from ".";

export const BackendContext = createContext<Backend | null>(null);

export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (backend === null) throw new Error("There is no backend around this component.");
  return backend;
}

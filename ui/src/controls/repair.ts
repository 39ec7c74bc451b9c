// The way from a failure to the form in which it can be corrected.

import { createContext } from "react";

import type { Failure } from "../backend";

/** The part of the source's form to begin with; null for its start. */
export type SourceSection = "mapping" | null;

/** Opens the form of the source in use. Null where that makes no sense, as within the form itself. */
export const RepairContext = createContext<((section: SourceSection) => void) | null>(null);

/** The label of the way to the source's form and where it leads; null if a failure is not about the source. */
export function repairOf({ target }: Failure): { label: string; section: SourceSection } | null {
  switch (target?.field) {
    case "mapping":
      return { label: "Edit the mapping", section: "mapping" };
    case "connection_string":
    case "password":
    case "database":
    case "collection":
      return { label: "Edit the source", section: null };
    default:
      return null;
  }
}

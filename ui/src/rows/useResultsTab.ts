import { useCallback, useState } from "react";

import type { Role } from "../backend";
import { useRowSeeker } from "./soughtRow";

export type ResultsTab = Role | "summary" | "sql";

/** The tab of the rows that is open, and the kind of rows that it or the last one with rows is about. */
export function useResultsTab(signature: string): {
  tab: ResultsTab;
  role: Role;
  setTab: (tab: ResultsTab) => void;
  setRole: (role: Role) => void;
} {
  const [role, setRole] = useState<Role>("input");
  const [other, setOther] = useState<Exclude<ResultsTab, Role> | null>(null);
  const setTab = useCallback((tab: ResultsTab) => {
    if (tab === "input" || tab === "downstream") {
      setRole(tab);
      setOther(null);
    } else setOther(tab);
  }, []);
  // A row that is looked for is in its own tab.
  const { sought } = useRowSeeker();
  const [followed, follow] = useState(0);
  if (sought !== null && sought.ask !== followed && sought.signature === signature) {
    follow(sought.ask);
    setTab(sought.role);
  }
  return { tab: other ?? role, role, setTab, setRole };
}

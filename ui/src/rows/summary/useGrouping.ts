import { useCallback } from "react";

import type { Group, Role, ViewShape } from "../../backend";
import { useToast } from "../../controls/toasts";
import { useStored } from "../../controls/useStored";
import { conditionOf } from "../filters";
import { nameIn } from "../grid/columns";
import type { Narrowing } from "../useNarrowed";
import {
  activeGrouping,
  type Grouping,
  type Groupings,
  groupedBy,
  NO_GROUPINGS,
  withGroup,
} from "./grouping";

interface Of {
  role: Role;
  shape: ViewShape | null;
  narrowing: Narrowing;
  /** Shows the summary, or the rows. */
  showSummary: (shown: boolean) => void;
}

/** How the rows of a tab are grouped, and the ways from rows to groups and back. */
export function useGrouping({ role, shape, narrowing, showSummary }: Of) {
  const say = useToast();
  const [groupings, setGroupings] = useStored<Groupings>("tidemark.groupings", NO_GROUPINGS);
  const { wanted, propose } = narrowing;
  const change = (grouping: Grouping) => setGroupings({ ...groupings, [role]: grouping });
  /** Groups by a column as well. */
  const group = useCallback(
    (path: string) => {
      const column = shape?.columns.find((one) => one.path === path);
      if (shape === null || column === undefined) return;
      setGroupings({ ...groupings, [role]: groupedBy(activeGrouping(groupings[role], shape), column) });
      showSummary(true);
    },
    [shape, role, groupings, setGroupings, showSummary],
  );
  /** Narrows the rows to those of a group. */
  const open = (group: Group, { by }: Grouping) => {
    const replaced = by.find(({ path, unit }) => unit != null && conditionOf(wanted, path) !== undefined);
    if (replaced !== undefined) say(`The filter of ${nameIn(shape?.columns, replaced.path)} was replaced`);
    propose(null, (held) => withGroup(held, group, by));
    showSummary(false);
  };
  return { held: groupings[role], change, group, open };
}

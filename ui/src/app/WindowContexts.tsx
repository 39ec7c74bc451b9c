import type { ContextType, ReactNode } from "react";

import { RepairContext } from "../controls/repair";
import { type QueryFilters, QueryFiltersContext } from "../query/queryFilters";
import { type RowSeeker, RowSeekerContext } from "../rows/soughtRow";

interface Props {
  repair: ContextType<typeof RepairContext>;
  cellFilters: QueryFilters;
  rowSeeker: RowSeeker;
  children: ReactNode;
}

/** The ways from deep in the window to its other parts. */
export function WindowContexts({ repair, cellFilters, rowSeeker, children }: Props) {
  return (
    <RepairContext value={repair}>
      <QueryFiltersContext value={cellFilters}>
        <RowSeekerContext value={rowSeeker}>{children}</RowSeekerContext>
      </QueryFiltersContext>
    </RepairContext>
  );
}

import { useMemo } from "react";

import type { Role } from "../../backend";
import { activeDays, type HeldDays } from "../days";
import { activeFilters, type Filters, filtersFor, rowQuery } from "../filters";
import type { Shapes } from "../useShapes";
import type { SqlRows } from "./useSql";

/** The rows that SQL reads: those of both tabs, under their filters and days. */
export function useSqlRows(shapes: Shapes | null, filters: Filters, days: HeldDays | null): SqlRows | null {
  return useMemo(() => {
    if (shapes === null) return null;
    const { key, stamp } = shapes;
    const held = filtersFor(filters, key.signature);
    const within = activeDays(days, key);
    const of = (role: Role) => rowQuery(role, [], activeFilters(held[role], shapes[role].columns), within);
    return { key, stamp, narrowed: [of("input"), of("downstream")] };
  }, [shapes, filters, days]);
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type RefObject, useEffect, useState } from "react";
import { Button } from "react-aria-components";

import { type Group, type Role, type RowQuery, toFailure, type ViewKey } from "../../backend";
import { useBackend } from "../../backend/context";
import { FailureNote } from "../../controls/FailureNote";
import { count, plural } from "../../controls/format";
import { useToast } from "../../controls/toasts";
import { asked } from "../asked";
import { rowQuery } from "../filters";
import type { Exporter } from "../useExport";
import { isNarrowed, type Narrowed } from "../useNarrowed";
import { GroupingBar } from "./GroupingBar";
import { GroupsExport } from "./GroupsExport";
import { GroupsTable } from "./GroupsTable";
import {
  activeGrouping,
  COPIED_GROUPS,
  type Grouping,
  groupRequest,
  groupsText,
  headings,
  SHOWN_GROUPS,
} from "./grouping";

interface Props {
  role: Role;
  setRole: (role: Role) => void;
  viewKey: ViewKey;
  narrowed: Narrowed;
  /** The zone in which times are cut into days. */
  zone: string;
  held: Grouping | null;
  change: (grouping: Grouping) => void;
  /** Shows the rows of a group. */
  open: (group: Group, grouping: Grouping) => void;
  outdated: () => void;
  /** The answer is partial. */
  partial: boolean;
  exporter: Exporter;
  exportRef: RefObject<(() => void) | null>;
}

/** The rows of a tab in groups, under its filters. */
export function SummaryPane(props: Props) {
  const { role, viewKey, narrowed, zone, held, change, open, outdated } = props;
  const { shape, stamp, filters, days } = narrowed;
  const backend = useBackend();
  const say = useToast();
  const [copying, setCopying] = useState(false);
  const grouping = activeGrouping(held, shape);
  const rows: RowQuery = rowQuery(role, [], filters, days);
  const { data, error, isFetching, isPlaceholderData, refetch } = useQuery({
    queryKey: ["group_rows", viewKey, rows, stamp, grouping, zone],
    queryFn: ({ signal }) =>
      asked(backend, signal, (id) =>
        backend.groupRows(viewKey, rows, groupRequest(grouping, zone, SHOWN_GROUPS), id),
      ),
    enabled: grouping.by.length > 0,
    placeholderData: keepPreviousData,
    // The stamp says when to read again.
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const isOther = data !== undefined && !isPlaceholderData && data.generation !== shape.generation;
  useEffect(() => {
    if (isOther) outdated();
  }, [isOther, outdated]);
  const names = headings(grouping, shape.columns);
  // Groups of a different shape would stand below the wrong headings.
  const fits = data?.groups.every(
    ({ keys, figures }) =>
      keys.length === grouping.by.length && figures.length === grouping.figures.length + 1,
  );
  const groups = grouping.by.length > 0 && data !== undefined && fits === true ? data : null;
  const copy = async () => {
    setCopying(true);
    try {
      const { signal } = new AbortController();
      const request = groupRequest(grouping, zone, COPIED_GROUPS);
      const all = await asked(backend, signal, (id) => backend.groupRows(viewKey, rows, request, id));
      if (all.total > COPIED_GROUPS) {
        say(`Nothing copied: more than ${count(COPIED_GROUPS)} groups`);
        return;
      }
      await backend.copyText(groupsText(all.groups, names));
      say(`Copied ${plural(all.groups.length, "group")} as a table`);
    } catch (error) {
      say(toFailure(error));
    } finally {
      setCopying(false);
    }
  };
  return (
    <div className="summary-pane" data-testid="summary">
      <div className="summary-bar">
        <GroupingBar role={role} setRole={props.setRole} shape={shape} grouping={grouping} change={change} />
        <Button
          className="button small"
          isDisabled={groups === null || groups.total === 0 || copying}
          onPress={() => void copy()}
          data-testid="copy-groups"
        >
          Copy table
        </Button>
        <GroupsExport
          viewKey={viewKey}
          rows={rows}
          request={groupRequest(grouping, zone, SHOWN_GROUPS)}
          total={groups?.total ?? null}
          partial={props.partial}
          filtered={isNarrowed(narrowed)}
          zone={zone}
          exporter={props.exporter}
          exportRef={props.exportRef}
        />
      </div>
      {error !== null && (
        <FailureNote
          failure={toFailure(error)}
          testId="groups-failure"
          action={{ label: "Try again", press: () => void refetch() }}
        />
      )}
      <div
        className="groups-scroll"
        aria-busy={isFetching}
        tabIndex={0}
        role="region"
        aria-label="Groups of rows"
      >
        {groups !== null && (
          <GroupsTable
            grouping={grouping}
            change={change}
            names={names}
            groups={groups.groups}
            open={(group) => open(group, grouping)}
          />
        )}
      </div>
      <p className="grid-foot faint" role="status" data-testid="groups-state">
        {stateText(grouping, groups?.total ?? null, zone, error !== null)}
      </p>
    </div>
  );
}

function stateText(grouping: Grouping, total: number | null, zone: string, failed: boolean): string {
  if (grouping.by.length === 0) return "Choose a column to group by.";
  if (total === null) return failed ? "" : "Grouping…";
  const parts = [
    total > SHOWN_GROUPS
      ? `The first ${count(SHOWN_GROUPS)} of ${plural(total, "group")}`
      : plural(total, "group"),
  ];
  if (grouping.by.some(({ unit }) => unit != null)) parts.push(`days of ${zone}`);
  if (total > 0) parts.push("a click on a group shows its rows");
  return parts.join("; ");
}

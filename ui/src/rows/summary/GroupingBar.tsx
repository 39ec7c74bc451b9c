import { Button } from "react-aria-components";

import type { ColumnView, DateUnit, Figure, GroupColumn, Role, ViewShape } from "../../backend";
import { Icon } from "../../controls/icons";
import { PickList } from "../../controls/PickList";
import { arrange, columnName, NO_PREFS } from "../grid/columns";
import { FIGURES, type Grouping, groupBy, isDated, isSummable, MAX_BY, regrouped, UNITS } from "./grouping";

interface Props {
  role: Role;
  setRole: (role: Role) => void;
  shape: ViewShape;
  grouping: Grouping;
  change: (grouping: Grouping) => void;
}

const ROLES: readonly { id: Role; name: string }[] = [
  { id: "input", name: "Trades" },
  { id: "downstream", name: "Messages" },
];

/** Chooses what the rows are grouped by and what is worked out for each group. */
export function GroupingBar({ role, setRole, shape, grouping, change }: Props) {
  const columns = arrange(shape, NO_PREFS).map(({ column }) => column);
  const { by, figures } = grouping;
  const free = columns.filter((column) => !by.some(({ path }) => path === column.path));
  const summable = columns.filter(isSummable);
  const setBy = (at: number, next: GroupColumn | null) =>
    change(regrouped(grouping, { by: by.flatMap((one, place) => (place === at ? (next ?? []) : one)) }));
  const setFigure = (at: number, next: Figure | null) =>
    change(
      regrouped(grouping, { figures: figures.flatMap((one, place) => (place === at ? (next ?? []) : one)) }),
    );
  const [nextBy] = free;
  const nextFigure = summable[0] ?? columns[0];
  return (
    <div className="grouping" role="group" aria-label="Groups">
      <PickList label="Rows" options={ROLES} value={role} change={setRole} testId="summary-role" />
      {by.map((one, at) => (
        <span className="grouping-part" key={one.path} data-testid="group-by">
          <span className="faint">{at === 0 ? "by" : "and"}</span>
          <PickList
            label={`Group by, column ${at + 1}`}
            options={named([...free, ...columns.filter(({ path }) => path === one.path)], columns)}
            value={one.path}
            change={(path) => {
              const column = columns.find((column) => column.path === path);
              if (column !== undefined) setBy(at, groupBy(column));
            }}
            testId={`group-by-${at}`}
          />
          {isDated(columns.find(({ path }) => path === one.path)) && (
            <PickList
              label="Length of time"
              options={UNITS}
              value={one.unit ?? "whole"}
              change={(unit: DateUnit | "whole") =>
                setBy(at, unit === "whole" ? { path: one.path } : { path: one.path, unit })
              }
              testId={`group-unit-${at}`}
            />
          )}
          <Remove label="Do not group by this column" press={() => setBy(at, null)} />
        </span>
      ))}
      {by.length < MAX_BY && nextBy !== undefined && (
        <Button
          className="link"
          onPress={() => change(regrouped(grouping, { by: [...by, groupBy(nextBy)] }))}
          data-testid="add-group"
        >
          Group by a{by.length > 0 && " further"} column
        </Button>
      )}
      {figures.map((figure, at) => (
        <span className="grouping-part" key={at} data-testid="group-figure">
          <PickList
            label={`Figure ${at + 1}`}
            options={FIGURES}
            value={figure.what}
            change={(what) => {
              const fits = !adds(what) || summable.some(({ path }) => path === figure.path);
              setFigure(at, { what, path: fits ? figure.path : summable[0]?.path });
            }}
            testId={`figure-${at}`}
          />
          <PickList
            label={`Column of figure ${at + 1}`}
            options={named(adds(figure.what) && summable.length > 0 ? summable : columns, columns)}
            value={figure.path ?? ""}
            change={(path) => setFigure(at, { ...figure, path })}
            testId={`figure-column-${at}`}
          />
          <Remove label="Remove this figure" press={() => setFigure(at, null)} />
        </span>
      ))}
      {nextFigure !== undefined && (
        <Button
          className="link"
          onPress={() => {
            const what = summable.length > 0 ? "sum" : "distinct";
            change(regrouped(grouping, { figures: [...figures, { what, path: nextFigure.path }] }));
          }}
          data-testid="add-figure"
        >
          Add a figure
        </Button>
      )}
    </div>
  );
}

/** Sums and averages are of numbers only. */
function adds(what: Figure["what"]): boolean {
  return what === "sum" || what === "average";
}

/** Columns as options, in reading order. */
function named(some: readonly ColumnView[], columns: readonly ColumnView[]): { id: string; name: string }[] {
  return columns
    .filter((column) => some.includes(column))
    .map((column) => ({ id: column.path, name: columnName(column) }));
}

function Remove({ label, press }: { label: string; press: () => void }) {
  return (
    <Button className="icon-button" aria-label={label} onPress={press}>
      <Icon name="close" size={10} />
    </Button>
  );
}

import { Button } from "react-aria-components";

import type { Group } from "../../backend";
import { count, plural } from "../../controls/format";
import { shortAverage } from "../grid/cellFormat";
import { cellsOf, clickGroupSort, type Grouping } from "./grouping";

interface Props {
  grouping: Grouping;
  change: (grouping: Grouping) => void;
  names: readonly string[];
  groups: readonly Group[];
  /** Shows the rows of a group. */
  open: (group: Group) => void;
}

/** The groups as a table. A click on one shows its rows. */
export function GroupsTable({ grouping, change, names, groups, open }: Props) {
  const keys = grouping.by.length;
  const { sort } = grouping;
  return (
    <table className="groups" data-testid="groups">
      <thead>
        <tr>
          {names.map((name, column) => {
            const way = sort?.column !== column ? "none" : sort.descending ? "descending" : "ascending";
            return (
              <th key={column} scope="col" aria-sort={way} className={column >= keys ? "cell-right" : ""}>
                <Button className="groups-sort" onPress={() => change(clickGroupSort(grouping, column))}>
                  {name}
                  <span aria-hidden="true">
                    {way === "ascending" ? " ▲" : way === "descending" ? " ▼" : ""}
                  </span>
                </Button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
          const cells = cellsOf(group);
          const called = group.keys.map(({ text }) => text ?? "empty").join(", ");
          return (
            <tr key={JSON.stringify(group.keys)} onClick={() => open(group)} data-testid="group">
              {cells.map((cell, column) => (
                <td key={column} className={column >= keys ? "cell-right num" : ""}>
                  {column === 0 ? (
                    <button
                      type="button"
                      className="group-open"
                      aria-label={`Show the ${plural(group.rows, "row")} of ${called}`}
                    >
                      <KeyText text={cell} />
                    </button>
                  ) : column < keys ? (
                    <KeyText text={cell} />
                  ) : column === keys ? (
                    count(group.rows)
                  ) : (
                    <FigureText
                      text={cell}
                      isAverage={grouping.figures[column - keys - 1]?.what === "average"}
                    />
                  )}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function FigureText({ text, isAverage }: { text: string | null; isAverage: boolean }) {
  if (text === null) return <span className="cell-null">–</span>;
  return isAverage ? <span title={text}>{shortAverage(text)}</span> : text;
}

function KeyText({ text }: { text: string | null }) {
  if (text === null) return <em className="faint">empty</em>;
  return text === "" ? '""' : text;
}

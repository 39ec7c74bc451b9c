import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Checkbox, Input, SearchField } from "react-aria-components";

import { type ColumnCondition, type RowQuery, toFailure, type ViewKey } from "../backend";
import { useBackend } from "../backend/context";
import { FailureNote } from "../controls/FailureNote";
import { count, plural } from "../controls/format";
import { pause } from "../controls/pause";
import { asked } from "./asked";
import { ColumnPopover } from "./ColumnPopover";

/** More values than this are found by typing a part of them. */
const LIMIT = 200;

/** Typing asks only after a pause of this length. */
const PAUSE_MS = 150;

interface Props {
  /** Where it opens, in the window. */
  at: { x: number; y: number };
  path: string;
  /** What the column is called. */
  name: string;
  viewKey: ViewKey;
  /** The rows under the filters of the other columns. */
  rows: RowQuery;
  stamp: string;
  /** The condition that the column has. */
  condition: ColumnCondition | undefined;
  /** Null if no value is ticked. */
  apply: (condition: ColumnCondition | null) => void;
  close: () => void;
}

/** The values of a column with how many rows have them, to tick those that the rows are to have. */
export function ValuesDialog({ at, path, name, viewKey, rows, stamp, condition, apply, close }: Props) {
  const backend = useBackend();
  const before = condition?.kind === "values" ? condition : null;
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => new Set(before?.values));
  const [empty, setEmpty] = useState(before?.empty ?? false);
  const [contains, setContains] = useState("");
  const { data, error, isFetching } = useQuery({
    queryKey: ["column_values", viewKey, rows, stamp, path, contains],
    queryFn: async ({ signal }) => {
      await pause(contains === "" ? 0 : PAUSE_MS, signal);
      return asked(backend, signal, (id) => backend.columnValues(viewKey, rows, path, contains, LIMIT, id));
    },
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  const tick = (value: string, on: boolean) => {
    const next = new Set(ticked);
    if (on) next.add(value);
    else next.delete(value);
    setTicked(next);
  };
  const chosen = ticked.size + (empty ? 1 : 0);
  const done = () => {
    close();
    apply(chosen === 0 ? null : { kind: "values", values: [...ticked], empty });
  };
  const listed = data?.values ?? [];
  const isNone = data !== undefined && listed.length === 0;
  return (
    <ColumnPopover at={at} className="values-dialog" label={`Values of ${name}`} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done();
        }}
      >
        <SearchField aria-label="Find values" value={contains} onChange={setContains} autoFocus>
          <Input className="input" placeholder={`Find values of ${name}`} data-testid="values-search" />
        </SearchField>
        {error !== null && <FailureNote failure={toFailure(error)} testId="values-failure" />}
        <ul className="values-list" aria-label="Values" aria-busy={isFetching}>
          {data !== undefined && (data.empty > 0 || empty) && contains === "" && (
            <li>
              <Checkbox className="checkbox" isSelected={empty} onChange={setEmpty}>
                <span className="checkbox-box" aria-hidden="true" />
                <em className="value-text">empty</em>
                <span className="num faint">{count(data.empty)}</span>
              </Checkbox>
            </li>
          )}
          {listed.map(({ value, rows }) => (
            <li key={value}>
              <Checkbox
                className="checkbox"
                isSelected={ticked.has(value)}
                onChange={(on) => tick(value, on)}
              >
                <span className="checkbox-box" aria-hidden="true" />
                <span className="value-text" title={value}>
                  {value === "" ? '""' : value}
                </span>
                <span className="num faint">{count(rows)}</span>
              </Checkbox>
            </li>
          ))}
        </ul>
        <p className="faint" role="status" data-testid="values-state">
          {data === undefined && error === null && "Counting…"}
          {isNone && (contains === "" ? "No row has a value." : "No value contains this.")}
          {data !== undefined && data.further > 0 && `And ${plural(data.further, "further value")}.`}
        </p>
        <div className="buttons">
          <span className="faint num">{chosen === 0 ? "All values" : `${count(chosen)} ticked`}</span>
          <span className="spacer" />
          <Button
            className="button quiet"
            isDisabled={chosen === 0}
            onPress={() => {
              setTicked(new Set());
              setEmpty(false);
            }}
          >
            Untick all
          </Button>
          <Button className="button primary" type="submit" data-testid="values-apply">
            Apply
          </Button>
        </div>
      </form>
    </ColumnPopover>
  );
}

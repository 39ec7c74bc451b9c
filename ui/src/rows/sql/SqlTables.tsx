import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  Collection,
  Header,
  Input,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  SearchField,
} from "react-aria-components";

import { type SqlTable, toFailure } from "../../backend";
import { useBackend } from "../../backend/context";
import { FailureNote } from "../../controls/FailureNote";
import { count } from "../../controls/format";
import type { SqlRows } from "./useSql";

interface Props {
  rows: SqlRows;
  /** Inserts a name into the statement. */
  insert: (name: string) => void;
}

/** The tables of which the columns have a text in their names, without the other columns. */
function having(tables: readonly SqlTable[], text: string): SqlTable[] {
  const wanted = text.trim().toLowerCase();
  return tables.map((table) => ({
    ...table,
    columns: table.columns.filter(({ name }) => name.toLowerCase().includes(wanted)),
  }));
}

/** The tables and their columns. A click inserts a name as it has to be written. */
export function SqlTables({ rows, insert }: Props) {
  const backend = useBackend();
  const [wanted, setWanted] = useState("");
  const { key, stamp } = rows;
  const { data, error, refetch } = useQuery({
    queryKey: ["sql_tables", key, stamp],
    queryFn: () => backend.sqlTables(key),
    // The stamp says when to read again.
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const tables = having(data ?? [], wanted);
  return (
    <div className="sql-tables">
      <SearchField aria-label="Find a column" value={wanted} onChange={setWanted}>
        <Input className="input" placeholder="Find a column" data-testid="sql-find-column" />
      </SearchField>
      {error !== null && (
        <FailureNote
          failure={toFailure(error)}
          testId="sql-tables-failure"
          action={{ label: "Try again", press: () => void refetch() }}
        />
      )}
      <ListBox
        className="sql-columns"
        aria-label="Tables and columns: choose one to insert its name"
        selectionMode="none"
        onAction={(at) => insert(String(at).slice(String(at).indexOf(" ") + 1))}
        data-testid="sql-tables"
      >
        {tables.map((table) => (
          <ListBoxSection key={table.name} id={table.name}>
            <Header className="menu-head">
              {table.name} <span className="num">{count(table.rows)}</span>
            </Header>
            {wanted.trim() === "" && (
              <Name id={`${table.name} ${table.name}`} name={table.name} type="table" />
            )}
            <Collection>
              {table.columns.map(({ name, sql_type }) => (
                <Name key={name} id={`${table.name} ${name}`} name={name} type={sql_type} />
              ))}
            </Collection>
          </ListBoxSection>
        ))}
      </ListBox>
    </div>
  );
}

function Name({ id, name, type }: { id: string; name: string; type: string }) {
  return (
    <ListBoxItem id={id} className="sql-column" textValue={name} data-testid="sql-column">
      <span className="sql-name" title={name}>
        {name}
      </span>
      <span className="faint sql-type">{type}</span>
    </ListBoxItem>
  );
}

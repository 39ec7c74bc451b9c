import { memo } from "react";
import {
  Button,
  Input,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  TextField,
} from "react-aria-components";

import type { FilterField, FilterOperator } from "../backend";
import { arity, type FilterRow, isActive, OPERATOR_LABELS, operatorsFor } from "../logic/filters";
import type { FormAction } from "../state/useForm";
import { Icon } from "./icons";
import { TokenField } from "./TokenField";

interface Props {
  row: FilterRow;
  /** Undefined for a field that the mapping in use does not name. */
  field: FilterField | undefined;
  dispatch: (action: FormAction) => void;
}

const HINTS: Record<string, string> = {
  date: "2025-01-31",
  integer: "whole number",
  number: "number",
  decimal: "number",
  uuid: "UUID",
};

/** One condition of the filter form. */
export const FilterRowEditor = memo(function FilterRowEditor({ row, field, dispatch }: Props) {
  const type = field?.value_type ?? "text";
  const known = operatorsFor(type);
  // An operator from a loaded query stays, also where the form would not offer it.
  const operators = known.includes(row.operator) ? known : [row.operator, ...known];
  const change = (part: Partial<Omit<FilterRow, "id" | "field">>) =>
    dispatch({ type: "row", id: row.id, change: part });
  const kind = arity(row.operator);
  const value = (end: "low" | "high", label: string) => (
    <TextField
      className="text-field"
      aria-label={`${row.field} ${label}`}
      value={row[end]}
      onChange={(text) => change({ [end]: text })}
    >
      <Input
        className="input num"
        placeholder={HINTS[type] ?? label}
        spellCheck="false"
        data-testid={end === "low" ? `filter-${row.field}-input` : `filter-${row.field}-input-high`}
      />
    </TextField>
  );

  return (
    <div className="filter-row" data-active={isActive(row) || undefined} data-testid={`filter-${row.field}`}>
      <div className="filter-head">
        <span
          className="filter-name"
          title={field ? `Path ${field.path}, ${type}` : "This mapping has no such field"}
        >
          {row.field}
          {field === undefined && <em className="faint"> (not in this mapping)</em>}
        </span>
        <Select
          aria-label={`${row.field}: condition`}
          className="operator"
          value={row.operator}
          onChange={(key) => change({ operator: key as FilterOperator })}
        >
          <Button className="operator-button" data-testid={`filter-${row.field}-operator`}>
            <SelectValue />
            <Icon name="chevron" size={10} />
          </Button>
          <Popover className="popover menu" offset={2}>
            <ListBox className="list-box">
              {operators.map((operator) => (
                <ListBoxItem className="list-item" key={operator} id={operator}>
                  {OPERATOR_LABELS[operator]}
                </ListBoxItem>
              ))}
            </ListBox>
          </Popover>
        </Select>
      </div>
      {kind === "list" && (
        <TokenField
          field={row.field}
          label={row.field}
          tokens={row.tokens}
          draft={row.draft}
          change={change}
          commit={() => dispatch({ type: "commit", id: row.id })}
        />
      )}
      {kind === "one" && value("low", OPERATOR_LABELS[row.operator])}
      {kind === "two" && (
        <div className="pair">
          {value("low", "from")}
          <span className="faint">to</span>
          {value("high", "to")}
        </div>
      )}
    </div>
  );
});

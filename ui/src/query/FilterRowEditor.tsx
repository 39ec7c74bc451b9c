import { memo, useRef } from "react";
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
import { Icon } from "../controls/icons";
import { arity, fieldName, type FilterRow, isActive, OPERATOR_LABELS, operatorsFor } from "./filters";
import { TokenField } from "./TokenField";
import type { FormAction } from "./useForm";

interface Props {
  row: FilterRow;
  /** Undefined if the mapping does not name the field. */
  field: FilterField | undefined;
  /** The element that says what has to be corrected in this row, if anything has to be. */
  errorId: string | undefined;
  dispatch: (action: FormAction) => void;
}

const HINTS: Record<string, string> = {
  date: "2025-01-31",
  integer: "whole number",
  number: "number",
  decimal: "number",
  uuid: "UUID",
};

interface ValueProps {
  label: string;
  text: string;
  placeholder: string;
  testId: string;
  errorId: string | undefined;
  change: (text: string) => void;
}

/** One value of a condition. Escape undoes what was typed since the field got the focus, or since Enter. */
function ValueField({ label, text, placeholder, testId, errorId, change }: ValueProps) {
  const before = useRef(text);
  return (
    <TextField
      className="text-field"
      aria-label={label}
      value={text}
      onChange={change}
      isInvalid={errorId !== undefined}
      aria-describedby={errorId}
    >
      <Input
        className="input num"
        placeholder={placeholder}
        spellCheck="false"
        data-testid={testId}
        onFocus={() => {
          before.current = text;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || text === before.current) return;
          // Handled here, so it does not cancel a run.
          event.preventDefault();
          change(before.current);
        }}
        // Not on key down: the window handles Ctrl+Enter before it gets here.
        onKeyUp={(event) => {
          if (event.key === "Enter") before.current = text;
        }}
      />
    </TextField>
  );
}

/** One condition of the filter form. */
export const FilterRowEditor = memo(function FilterRowEditor({ row, field, errorId, dispatch }: Props) {
  const name = field === undefined ? row.field : fieldName(field);
  const type = field?.value_type ?? "text";
  const known = operatorsFor(type);
  // An operator from a loaded query stays, even if the form would not offer it.
  const operators = known.includes(row.operator) ? known : [row.operator, ...known];
  const change = (part: Partial<Omit<FilterRow, "id" | "field">>) =>
    dispatch({ type: "row", id: row.id, change: part });
  const kind = arity(row.operator);
  const value = (end: "low" | "high", label: string) => (
    <ValueField
      label={`${name} ${label}`}
      text={row[end]}
      placeholder={HINTS[type] ?? label}
      errorId={errorId}
      testId={end === "low" ? `filter-${row.field}-input` : `filter-${row.field}-input-high`}
      change={(text) => change({ [end]: text })}
    />
  );

  return (
    <div
      className="filter-row"
      data-active={isActive(row) || undefined}
      data-invalid={errorId !== undefined || undefined}
      data-testid={`filter-${row.field}`}
    >
      <div className="filter-head">
        <span
          className="filter-name"
          title={field ? `Path ${field.path}, ${type}` : "This mapping has no such field"}
        >
          {name}
          {field === undefined && <em className="faint"> (not in this mapping)</em>}
        </span>
        <Select
          aria-label={`${name}: condition`}
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
          label={name}
          tokens={row.tokens}
          draft={row.draft}
          errorId={errorId}
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

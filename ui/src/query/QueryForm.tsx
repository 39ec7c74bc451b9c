import { memo, useId } from "react";
import { Button } from "react-aria-components";

import type { Failure, FilterField } from "../backend";
import { plural } from "../controls/format";
import { AdvancedMatch } from "./AdvancedMatch";
import { DateRange } from "./DateRange";
import type { TargetPart } from "./failureTarget";
import { FilterRowEditor } from "./FilterRowEditor";
import { type FilterRow, type FormState, isActive } from "./filters";
import type { FormAction } from "./useForm";

interface Props {
  form: FormState;
  fields: readonly FilterField[];
  /** A source is set up, whose mapping has the fields. */
  configured: boolean;
  today: string;
  zone: string;
  /** A failure of the plan, and which part of the form it is about. */
  failure: Failure | null;
  failureTarget: TargetPart | null;
  dispatch: (action: FormAction) => void;
}

/** Dates, filters and advanced match. */
export const QueryForm = memo(function QueryForm(props: Props) {
  const { form, fields, dispatch, failure, failureTarget } = props;
  // Without a source, the fields are those that no documents have shown to be right. What a query has stays visible.
  const rows = props.configured ? form.rows : form.rows.filter(isActive);
  const errorId = useId();
  const refused = failure?.target?.field === "filter" ? failure.target.name : null;
  const isRefused = (row: FilterRow) => row.field === refused && isActive(row);
  const active = form.rows.filter(isActive).length + (form.advanced.trim() === "" ? 0 : 1);
  return (
    <form className="query-form" onSubmit={(event) => event.preventDefault()}>
      <section className="form-section">
        <DateRange
          from={form.from}
          to={form.to}
          today={props.today}
          zone={props.zone}
          failure={failureTarget === "dates" ? failure : null}
          change={(from, to) => dispatch({ type: "range", from, to })}
        />
      </section>
      <section className="form-section" aria-label="Filters">
        <div className="field-head">
          <span className="field-label">Filters</span>
          <Button
            className="link"
            aria-disabled={active === 0 || undefined}
            onPress={() => dispatch({ type: "clear_filters" })}
            data-testid="clear-filters"
          >
            {active === 0 ? "None set" : `Clear ${plural(active, "filter")}`}
          </Button>
        </div>
        {!props.configured && (
          <p className="faint" data-testid="filters-unset">
            The filters come with the mapping of a source.
          </p>
        )}
        {rows.map((row) => (
          <FilterRowEditor
            key={row.id}
            row={row}
            field={fields.find((field) => field.name === row.field)}
            errorId={isRefused(row) ? errorId : undefined}
            dispatch={dispatch}
          />
        ))}
        {failureTarget === "filters" && failure && (
          <div id={errorId} className="field-error" role="alert" data-testid="filter-error">
            {failure.message} <span className="faint">{failure.next}</span>
            {failure.cause && <code className="field-cause">{failure.cause}</code>}
          </div>
        )}
      </section>
      <section className="form-section">
        <AdvancedMatch
          text={form.advanced}
          failure={failureTarget === "advanced" ? failure : null}
          change={(text) => dispatch({ type: "advanced", text })}
        />
      </section>
    </form>
  );
});

import { ToggleButton, Tooltip, TooltipTrigger } from "react-aria-components";

import { count } from "../controls/format";
import { Icon } from "../controls/icons";
import { keyText } from "../controls/keys";
import { isNarrowed, type Narrowing } from "./useNarrowed";

/** Says that the rows are narrowed, and not the query: "1,204 of 48,211 rows". */
export function NarrowedCount({ narrowing: { narrowed, pending } }: { narrowing: Narrowing }) {
  return (
    <span className="narrowed num" role="status">
      {narrowed !== null && isNarrowed(narrowed) && (
        <span
          data-testid="narrowed"
          title="The filters of the columns and the chosen days narrow the rows, not the query"
        >
          {count(narrowed.rows)} of {count(narrowed.shape.rows)} rows
        </span>
      )}
      {pending && <span className="faint"> Filtering…</span>}
    </span>
  );
}

interface ToggleProps {
  shown: boolean;
  toggle: () => void;
}

/** Shows and hides the fields that filter by the columns. */
export function FilterToggle({ shown, toggle }: ToggleProps) {
  return (
    <TooltipTrigger delay={600}>
      <ToggleButton
        className="button quiet"
        isSelected={shown}
        onChange={toggle}
        aria-label="Filter the rows by their columns"
        data-testid="filter-row-button"
      >
        <Icon name="filter" />
      </ToggleButton>
      <Tooltip className="tooltip" offset={6}>
        Filter the rows by their columns ({keyText("window", "filter_row")})
      </Tooltip>
    </TooltipTrigger>
  );
}

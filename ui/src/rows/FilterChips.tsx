import { Button, ToggleButton } from "react-aria-components";

import type { ColumnView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { Icon } from "../controls/icons";
import { conditionText, switched, withCondition } from "./filters";
import { nameIn } from "./grid/columns";
import type { Narrowing } from "./useNarrowed";

interface Props {
  narrowing: Narrowing;
  columns: readonly ColumnView[];
}

/** The filters of the rows, each to be switched off and removed, and what is wrong with those that were refused. */
export function FilterChips({ narrowing, columns }: Props) {
  const { wanted, mistakes, failure, retry, propose } = narrowing;
  const refused = Object.entries(mistakes);
  return (
    <>
      {wanted.length > 0 && (
        <div
          className="filter-chips"
          role="group"
          aria-label="Filters of the rows"
          data-testid="filter-chips"
        >
          {wanted.map(({ path, condition, off }) => {
            const isMissing = !columns.some((column) => column.path === path);
            const text = conditionText(nameIn(columns, path), condition);
            const said = isMissing ? `${text} (ignored: these rows have no such column)` : text;
            return (
              <span key={path} className="filter-chip" data-missing={isMissing || undefined} title={said}>
                <ToggleButton
                  className="chip"
                  isSelected={off !== true}
                  onChange={(on) => propose(path, (held) => switched(held, path, on))}
                  data-testid="filter-chip"
                >
                  {said}
                </ToggleButton>
                <Button
                  className="icon-button"
                  aria-label={`Remove the filter ${text}`}
                  onPress={() => propose(path, (held) => withCondition(held, path, null))}
                >
                  <Icon name="close" size={10} />
                </Button>
              </span>
            );
          })}
          {wanted.length > 1 && (
            <Button className="link" onPress={() => propose(null, () => [])} data-testid="filters-remove">
              Remove all
            </Button>
          )}
        </div>
      )}
      {refused.length > 0 && (
        <p className="filter-mistakes" id="filter-mistakes" role="alert" data-testid="filter-mistakes">
          {refused.map(([path, { message }]) => (
            <span key={path}>{message}</span>
          ))}
        </p>
      )}
      {failure !== null && (
        <FailureNote
          failure={failure}
          testId="filter-failure"
          action={{ label: "Try again", press: retry }}
          compact
        />
      )}
    </>
  );
}

import { Button, ToggleButton } from "react-aria-components";

import type { ColumnView, ViewKey } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { Icon } from "../controls/icons";
import { type DaysNarrowing, spansText, within } from "./days";
import { conditionText, switched, withCondition } from "./filters";
import { nameIn } from "./grid/columns";
import type { Narrowing } from "./useNarrowed";

interface Props {
  narrowing: Narrowing;
  columns: readonly ColumnView[];
  days: DaysNarrowing;
  /** The days of the rows. */
  viewKey: ViewKey;
}

/** The filters of the rows, each to be switched off and removed, and what is wrong with those that were refused. */
export function FilterChips({ narrowing, columns, days, viewKey }: Props) {
  const { wanted, mistakes, failure, retry, propose } = narrowing;
  const chips = wanted.length + (days.held === null ? 0 : 1);
  const refused = Object.entries(mistakes);
  return (
    <>
      {chips > 0 && (
        <div
          className="filter-chips"
          role="group"
          aria-label="Filters of the rows"
          data-testid="filter-chips"
        >
          {days.held !== null && <DaysChip days={days} viewKey={viewKey} />}
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
          {chips > 1 && (
            <Button
              className="link"
              onPress={() => {
                days.set(null);
                if (wanted.length > 0) propose(null, () => []);
              }}
              data-testid="filters-remove"
            >
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

/** The days that the rows are narrowed to, to be switched off and removed like a filter. */
function DaysChip({ days: { held, set }, viewKey }: { days: DaysNarrowing; viewKey: ViewKey }) {
  if (held === null) return null;
  const isMissing = within(held.spans, viewKey).length === 0;
  const text = `Days: ${spansText(held.spans)}`;
  const said = isMissing ? `${text} (ignored: these rows are of other days)` : text;
  return (
    <span className="filter-chip" data-missing={isMissing || undefined} title={said}>
      <ToggleButton
        className="chip"
        isSelected={held.off !== true}
        onChange={(on) => set(on ? { spans: held.spans } : { spans: held.spans, off: true })}
        data-testid="days-chip"
      >
        {said}
      </ToggleButton>
      <Button className="icon-button" aria-label={`Remove the filter ${text}`} onPress={() => set(null)}>
        <Icon name="close" size={10} />
      </Button>
    </span>
  );
}

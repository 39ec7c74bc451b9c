import type { SourceView } from "../backend";
import { plural } from "../controls/format";
import { keyText } from "../controls/keys";
import type { Planned } from "../plan/usePlan";

interface Props {
  source: SourceView;
  planned: Planned;
}

/** What the first fetch will do, by the plan. */
export function BeforeFetch({ source, planned }: Props) {
  const { plan, query } = planned;
  const conditions = query === null ? 0 : query.filters.length + (query.advanced.trim() === "" ? 0 : 1);
  return (
    <>
      <p>Choose the days and filters, then press Fetch ({keyText("window", "fetch")}).</p>
      {plan !== null && query !== null && (
        <dl className="before-fetch" data-testid="before-fetch">
          <dt>Source</dt>
          <dd>{source.source?.name}</dd>
          <dt>Days</dt>
          <dd className="num">
            {query.from === query.to ? query.from : `${query.from} to ${query.to}`}{" "}
            <span className="faint">in {source.day_zone}</span>
          </dd>
          <dt>Filters</dt>
          <dd>{conditions === 0 ? "none: every trade of these days" : plural(conditions, "condition")}</dd>
          <dt>From MongoDB</dt>
          <dd className="num">{plural(plan.counts.fetch + plan.counts.refresh, "day")}</dd>
          <dt>From this computer</dt>
          <dd className="num">{plural(plan.counts.serve + plan.counts.adopt, "day")}</dd>
        </dl>
      )}
      <p className="faint">What is fetched is stored on this computer. Nothing is written to MongoDB.</p>
    </>
  );
}

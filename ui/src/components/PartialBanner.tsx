import type { Answer } from "../backend";
import { completeness, missingByReason } from "../logic/answerText";
import { joinDays } from "../logic/days";
import { plural } from "../logic/format";
import { Icon } from "./icons";

/** Stands over the rows of a partial answer, so that nobody takes them for all. */
export function PartialBanner({ answer }: { answer: Answer }) {
  const reasons = missingByReason(answer);
  return (
    <div className="note note-partial" role="status" data-testid="partial-banner">
      <Icon name="warn" />
      <div className="note-body">
        <strong>{completeness(answer)}.</strong> The rows below are not all that the query asks for.
        {reasons.length > 0 && (
          <details className="note-detail">
            <summary>Which days, and why</summary>
            <ul>
              {reasons.map(({ why, days }) => (
                <li key={why}>
                  <span className="num">{joinDays(days)}</span> ({plural(days.length, "day")}): {why}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

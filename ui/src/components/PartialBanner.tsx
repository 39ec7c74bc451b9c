import type { Answer } from "../backend";
import { completeness, missingByReason } from "../logic/answerText";
import { joinDays } from "../logic/days";
import { plural } from "../logic/format";
import { NoteLine } from "./NoteLine";

/** Stands over the rows of a partial answer, so that nobody takes them for all. */
export function PartialBanner({ answer }: { answer: Answer }) {
  const reasons = missingByReason(answer);
  return (
    <NoteLine
      kind="partial"
      role="status"
      testId="partial-banner"
      head={`${completeness(answer)}.`}
      text="The rows below are not all that the query asks for."
      moreLabel="Which, and why"
      more={
        <ul>
          {reasons.length === 0 && <li>No reason given</li>}
          {reasons.map(({ why, days }) => (
            <li key={why}>
              <span className="num">{joinDays(days)}</span> ({plural(days.length, "day")}): {why}
            </li>
          ))}
        </ul>
      }
    />
  );
}

import { useContext } from "react";
import { Button } from "react-aria-components";

import type { Answer } from "../backend";
import { plural } from "../controls/format";
import { Icon } from "../controls/icons";
import { NoteLine } from "../controls/NoteLine";
import { RepairContext } from "../controls/repair";
import { joinDays } from "../query/days";
import { completeness, missingByReason, unverifiedText } from "./answerText";

interface Props {
  answer: Answer;
  /** A prefix for each warning that says which query it is about; blank if that is clear. */
  lead: string;
}

/** Shown above the rows of a partial answer, so that nobody takes them for all rows. */
export function PartialBanner({ answer, lead }: Props) {
  const reasons = missingByReason(answer);
  const { unverified } = answer.days;
  return (
    <NoteLine
      kind="partial"
      role="status"
      testId="partial-banner"
      head={`${lead}${completeness(answer)}.`}
      text={`The rows below are only part of what ${lead === "" ? "the" : "that"} query asks for.`}
      moreLabel="Which days, and why"
      more={
        <ul>
          {reasons.length + unverified.length === 0 && <li>No reason given</li>}
          {reasons.map(({ why, days }) => (
            <li key={why}>
              <span className="num">{joinDays(days)}</span> ({plural(days.length, "day")}): {why}
            </li>
          ))}
          {unverified.length > 0 && (
            <li>
              <span className="num">{joinDays(unverified)}</span> ({plural(unverified.length, "day")}):
              cached, but not confirmed by the server
            </li>
          )}
        </ul>
      }
    />
  );
}

/** Shown above rows that are complete but that a check has not confirmed. */
export function UnverifiedBanner({ answer, lead }: Props) {
  const warning = unverifiedText(answer);
  if (warning === null) return null;
  return (
    <NoteLine
      kind="partial"
      role="status"
      testId="unverified-banner"
      head={`${lead}${warning.head}`}
      text={warning.text}
      moreLabel="Which days"
      more={<span className="num">{joinDays(answer.days.unverified)}</span>}
    />
  );
}

/** Names the parts of the query that match nothing in the collection: they were most likely mistyped. */
export function UnmatchedBanner({ answer, lead }: Props) {
  const edit = useContext(RepairContext);
  if (answer.unmatched.length === 0) return null;
  const isOfMapping = answer.unmatched.some(({ part }) => part === "messages" || part === "trade_id");
  return (
    <div className="note note-partial" role="status" data-testid="unmatched-banner">
      <Icon name="warn" />
      <div className="note-body">
        {answer.unmatched.map(({ why }) => (
          <p key={why}>
            {lead}
            {why}
          </p>
        ))}
        {isOfMapping && edit !== null && (
          <Button className="link" onPress={() => edit("mapping")} data-testid="unmatched-repair">
            Edit the mapping
          </Button>
        )}
      </div>
    </div>
  );
}

import { type ReactNode, useId } from "react";

import { FailureNote } from "../controls/FailureNote";
import { count, cutText, duration, plural } from "../controls/format";
import type { View } from "../run/runState";
import { AnswerLine } from "./AnswerLine";
import { comparedAll, daysText, newNotes } from "./answerText";
import { ChangesLine } from "./ChangesLine";
import { PartialBanner, UnmatchedBanner, UnverifiedBanner } from "./PartialBanner";

export interface AnswerProps {
  view: View;
  zone: string;
  /** Where the rows come from, if not from the active source. */
  otherSource: string | null;
  /** The form has moved on from the query that is shown. */
  differs: boolean;
  /** A different query is being fetched. */
  previous: boolean;
  /** A run is updating these rows. */
  renewing: boolean;
  /** What a fetch would do. */
  plan: ReactNode;
}

interface Props extends AnswerProps {
  isOpen: boolean;
  toggle: () => void;
}

/** Longer descriptions of filters are cut; the form shows all of them. */
const MAX_FILTERS = 800;

/** Plan and answer on one line, and on demand all that there is to say about the answer. */
export function AnswerPanel({ isOpen, toggle, ...props }: Props) {
  const id = useId();
  return (
    <section
      className="answer"
      aria-label="Answer"
      data-partial={!props.view.answer.complete || undefined}
      data-open={isOpen || undefined}
      data-testid="answer"
    >
      <AnswerLine {...props} detailsId={id} isOpen={isOpen} toggle={toggle} />
      <div id={id} className="answer-details" hidden={!isOpen} data-testid="answer-details">
        <AnswerDetails {...props} />
      </div>
    </section>
  );
}

function AnswerDetails({ view, previous }: AnswerProps) {
  const { answer, key } = view;
  const range = key.from === key.to ? key.from : `${key.from} to ${key.to}`;
  const title = `${view.answer.filters}, ${range}`;
  // A warning must not read as if it were about the query that is being fetched.
  const lead = previous ? "Previous query: " : "";
  const notes = newNotes(answer);
  return (
    <>
      <div className="answer-line answer-title">
        <span className="num">{range}</span>
        <span className="answer-filters" title={cutText(view.answer.filters, MAX_FILTERS)}>
          {cutText(view.answer.filters, MAX_FILTERS)}
        </span>
        <span className="faint num">
          {plural(answer.days.requested, "day")}: {daysText(answer)}
        </span>
        <span
          className="faint num"
          data-testid="answer-commands"
          title="Commands sent to MongoDB for this answer"
        >
          {count(answer.mongo_commands)} MongoDB {answer.mongo_commands === 1 ? "command" : "commands"}
        </span>
        <span className="faint num">{duration(answer.elapsed_ms)}</span>
      </div>
      {answer.complete ? (
        <UnverifiedBanner answer={answer} lead={lead} />
      ) : (
        <PartialBanner answer={answer} lead={lead} />
      )}
      <UnmatchedBanner answer={answer} lead={lead} />
      {/* A cancelled run is reported beside the buttons, and not as a failure. */}
      {answer.failure && answer.failure.code !== "cancelled" && (
        <FailureNote
          failure={{ ...answer.failure, message: `${lead}${answer.failure.message}` }}
          testId="answer-failure"
          compact
        />
      )}
      {answer.changes !== null && (
        <ChangesLine changes={answer.changes} whole={comparedAll(answer, view.mode)} title={title} />
      )}
      {notes.length > 0 && (
        <ul className="answer-notes" data-testid="answer-notes">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </>
  );
}

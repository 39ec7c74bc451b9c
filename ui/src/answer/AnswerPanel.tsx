import { FailureNote } from "../controls/FailureNote";
import { ago, count, cutText, duration, moment, plural, shortMoment } from "../controls/format";
import { Icon } from "../controls/icons";
import { useNow } from "../controls/useNow";
import { joinDays } from "../query/days";
import type { View } from "../run/runState";
import { comparedAll, completeness, daysText, newNotes, ORIGIN_LABELS, originHint } from "./answerText";
import { ChangesLine } from "./ChangesLine";
import { PartialBanner, UnmatchedBanner, UnverifiedBanner } from "./PartialBanner";

interface Props {
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
}

/** Longer descriptions of filters are cut; the form shows all of them. */
const MAX_FILTERS = 800;

/** Where the answer comes from, how complete and how fresh it is. */
export function AnswerPanel({ view, zone, otherSource, differs, previous, renewing }: Props) {
  const now = useNow();
  const { answer, key } = view;
  const range = key.from === key.to ? key.from : `${key.from} to ${key.to}`;
  const title = `${view.answer.filters}, ${range}`;
  // A warning must not read as if it were about the query that is being fetched.
  const lead = previous ? "Previous query: " : "";
  const asMeant = answer.complete && answer.unmatched.length === 0;
  const notes = newNotes(answer);
  return (
    <section className="answer" aria-label="Answer" data-testid="answer">
      <div className="answer-line">
        <span
          className="badge"
          data-origin={answer.answer}
          title={originHint(answer)}
          data-testid="answer-origin"
        >
          {ORIGIN_LABELS[answer.answer]}
        </span>
        <span
          className="badge"
          data-complete={asMeant}
          data-testid="answer-completeness"
          title={answer.complete ? "Every requested day is cached" : joinDays(answer.days.missing)}
        >
          <Icon name={asMeant ? "check" : "warn"} size={12} />
          {answer.complete ? completeness(answer) : "Partial"}
        </span>
        {answer.oldest_fetch !== null && (
          <span
            title={`Oldest fetch: ${moment(answer.oldest_fetch, zone)}`}
            data-testid="answer-oldest-fetch"
          >
            oldest fetch <strong>{ago(answer.oldest_fetch, now)}</strong>{" "}
            <span className="faint num wide-only">{shortMoment(answer.oldest_fetch, zone)}</span>
          </span>
        )}
        {answer.days.unverified.length > 0 && (
          <span
            title={`Cached, but not confirmed by the server: ${joinDays(answer.days.unverified)}`}
            data-testid="answer-unverified-days"
          >
            {plural(answer.days.unverified.length, "unverified day")}
          </span>
        )}
        {answer.days.open.length > 0 && (
          <span title={`May still change: ${joinDays(answer.days.open)}`} data-testid="answer-open-days">
            {plural(answer.days.open.length, "open day")}
          </span>
        )}
        <span
          className="faint num"
          data-testid="answer-commands"
          title="Commands sent to MongoDB for this answer"
        >
          {count(answer.mongo_commands)} <span className="wide-only">MongoDB</span>{" "}
          {answer.mongo_commands === 1 ? "command" : "commands"}
        </span>
        <span className="faint num wide-only">{duration(answer.elapsed_ms)}</span>
        {renewing && <span className="renewing">being updated</span>}
      </div>
      <div className="answer-line answer-title">
        <span className="num">{range}</span>
        <span className="answer-filters" title={cutText(view.answer.filters, MAX_FILTERS)}>
          {cutText(view.answer.filters, MAX_FILTERS)}
        </span>
        <span className="faint num">
          {plural(answer.days.requested, "day")}: {daysText(answer)}
        </span>
        {otherSource !== null && (
          <span className="other-source" data-testid="answer-source">
            {otherSource}
          </span>
        )}
        {(differs || previous) && (
          <span className="differs" data-testid="answer-differs">
            {previous
              ? "from the previous query, while this one is fetched"
              : "the form has changed since this answer"}
          </span>
        )}
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
    </section>
  );
}

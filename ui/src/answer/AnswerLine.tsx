import { Button } from "react-aria-components";

import { ago, cutText, moment, plural, shortMoment } from "../controls/format";
import { Icon } from "../controls/icons";
import { keyText } from "../controls/keys";
import { useNow } from "../controls/useNow";
import { joinDays } from "../query/days";
import type { AnswerProps } from "./AnswerPanel";
import {
  comparedAll,
  completeness,
  lineWarnings,
  ORIGIN_LABELS,
  originHint,
  unconfirmedHint,
} from "./answerText";
import { changesText, total } from "./changes";

interface Props extends AnswerProps {
  detailsId: string;
  isOpen: boolean;
  toggle: () => void;
}

/** A tooltip longer than this would cover the window. */
const MAX_HINT = 800;

/**
 * Plan and answer on one line. Everything that keeps the answer from being what the trader takes it for is on it; the
 * details only say more about it.
 */
export function AnswerLine(props: Props) {
  const { view, zone, otherSource, differs, previous, renewing, plan, detailsId, isOpen, toggle } = props;
  const now = useNow();
  const { answer, key } = view;
  const { unverified, open } = answer.days;
  const asMeant = answer.complete && answer.unmatched.length === 0;
  // The chips or the form say what the rows are of, unless these are of something else.
  const isElse = differs || previous || otherSource !== null;
  const range = key.from === key.to ? key.from : `${key.from} to ${key.to}`;
  const { changes } = answer;
  const found = changes !== null && total(changes) > 0;
  return (
    <div className="answer-line answer-summary" data-testid="answer-line">
      <Button
        className="icon-button answer-toggle"
        aria-label="Details of the plan and the answer"
        aria-expanded={isOpen}
        aria-controls={detailsId}
        onPress={toggle}
        data-testid="answer-toggle"
      >
        <span
          aria-hidden="true"
          title={`${isOpen ? "Hide" : "Show"} the details (${keyText("window", "details")})`}
        >
          <Icon name={isOpen ? "chevron" : "next"} />
        </span>
      </Button>
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
        {completeness(answer)}
      </span>
      {unverified.length > 0 && (
        <span className="line-warning" title={unconfirmedHint(answer)} data-testid="answer-unverified-days">
          {plural(unverified.length, "unverified day")}
        </span>
      )}
      {/* Open, the details below have all of it. */}
      {!isOpen &&
        lineWarnings(answer).map(({ id, text, kind }) => (
          <span key={id} className="line-text" data-kind={kind} title={text} data-testid={`line-${id}`}>
            {text}
          </span>
        ))}
      {!isOpen && changes !== null && (
        <span className="line-text" data-kind={found ? "differ" : undefined} data-testid="line-changes">
          <Icon name={found ? "differ" : "check"} size={12} />{" "}
          {changesText(changes, comparedAll(answer, view.mode))}
        </span>
      )}
      {answer.oldest_fetch !== null && (
        <span title={`Oldest fetch: ${moment(answer.oldest_fetch, zone)}`} data-testid="answer-oldest-fetch">
          oldest fetch <strong>{ago(answer.oldest_fetch, now)}</strong>{" "}
          <span className="faint num widest-only">{shortMoment(answer.oldest_fetch, zone)}</span>
        </span>
      )}
      {open.length > 0 && (
        <span title={`May still change: ${joinDays(open)}`} data-testid="answer-open-days">
          {plural(open.length, "open day")}
        </span>
      )}
      {isElse && (
        <span className="line-text" title={cutText(answer.filters, MAX_HINT)} data-testid="line-query">
          <span className="num">{range}</span>, {cutText(answer.filters, MAX_HINT)}
        </span>
      )}
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
      {renewing && <span className="renewing">being updated</span>}
      <div className="line-plan">
        <span className="faint">Fetch:</span> {plan}
      </div>
    </div>
  );
}

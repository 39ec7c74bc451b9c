import type { DateForm, Proposal, SeenPath } from "../../backend";
import { withTime } from "./epoch";
import { examplesText, foundFor, isAbsent, seenText, SURE_WORDS } from "./parts";

interface Props {
  partKey: string;
  value: string | null;
  /** How the values of a time are stored, as the mapping says. */
  form: DateForm | null;
  proposal: Proposal;
}

/** What the documents say about a part: how sure the proposal is, what it saw, and why. */
export function Evidence({ partKey, value, form, proposal }: Props) {
  const field = foundFor(proposal, partKey);
  const seen = proposal.paths.find(({ path }) => path === value);
  const withTimes = <T extends Pick<SeenPath, "examples" | "types">>(found: T): T => {
    // An example does not show whether its digits are stored as text, which the mapping would not read as a time.
    if (found.types.some(({ name }) => name === "string")) return found;
    return { ...found, examples: found.examples.map((example) => withTime(example, form)) };
  };
  // What was found of one path must not read as if it were about a different one.
  if (field === null || (field.path !== null && value !== null && field.path !== value)) {
    return (
      <>
        {seen && <span>{seenText(withTimes(seen))}</span>}
        {isAbsent(partKey, value, proposal) && (
          <strong data-testid="evidence-absent">In none of the documents that were read.</strong>
        )}
        {field !== null && <div className="faint">Proposed was {field.path}</div>}
      </>
    );
  }
  return (
    <>
      <strong className="evidence-sure" data-confidence={field.confidence}>
        {SURE_WORDS[field.confidence]}
      </strong>{" "}
      {value === null && field.path !== null && <code>{field.path}</code>}{" "}
      <span>{field.path === null ? examplesText(field.examples) : seenText(withTimes(field))}</span>
      {field.why.length > 0 && <div className="faint">{field.why.join("; ")}</div>}
    </>
  );
}

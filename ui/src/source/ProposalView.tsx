import { Button } from "react-aria-components";

import type { Confidence, Proposal, ProposedField } from "../backend";
import { useBackend } from "../backend/context";
import { Icon } from "../controls/icons";

const SURE: Record<Confidence, string> = { sure: "Sure", likely: "Likely", unsure: "Please check" };

/** The values of a field as a person recognises them. */
function Found({ field }: { field: ProposedField }) {
  if (field.path === null && field.examples.length === 0) return <span className="faint">none found</span>;
  return (
    <>
      {field.path !== null && <code>{field.path}</code>}{" "}
      <span className="faint">{field.examples.join(", ")}</span>
    </>
  );
}

/** What a mapping was made of, and what will be slow or wrong with it. */
export function ProposalView({ proposal }: { proposal: Proposal }) {
  const backend = useBackend();
  return (
    <div className="proposal" data-testid="proposal">
      <p className="faint" role="status">
        Proposed from {proposal.documents} documents. Check the fields below; the mapping above can be edited.
      </p>
      {proposal.warnings.map((warning) => (
        <div key={warning.code} className="note note-partial" data-testid="proposal-warning">
          <Icon name="warn" />
          <div className="note-body">
            {warning.message}
            {warning.fix !== null && (
              <div className="proposal-fix">
                <code>{warning.fix}</code>
                <Button
                  className="button small"
                  onPress={() => void backend.copyText(warning.fix ?? "").catch(() => undefined)}
                >
                  Copy
                </Button>
              </div>
            )}
          </div>
        </div>
      ))}
      <table className="proposal-fields">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Field and examples</th>
            <th scope="col">How sure</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {proposal.fields.map((field) => (
            <tr key={field.key} data-confidence={field.confidence} data-testid={`proposed-${field.key}`}>
              <th scope="row">{field.title}</th>
              <td>
                <Found field={field} />
              </td>
              <td>{field.path === null && field.examples.length === 0 ? "" : SURE[field.confidence]}</td>
              <td className="faint">{field.why.join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

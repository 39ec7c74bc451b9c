import { type RefObject, useState } from "react";
import { Button, Label, TextArea, TextField } from "react-aria-components";

import type { Failure, Proposal } from "../backend";
import { Icon } from "../controls/icons";
import { AddFilter } from "./mapping/AddFilter";
import { MappingTable } from "./mapping/MappingTable";
import { ProposalWarnings } from "./mapping/ProposalWarnings";
import { useMapping } from "./mapping/useMapping";

interface Props {
  /** The mapping file. */
  text: string;
  onChange: (text: string) => void;
  /** What was proposed from the documents, if anything was. */
  proposal: Proposal | null;
  /** Why the source was refused, if it was. */
  failure: Failure | null;
  /** Resolves once the changes that were made are in the text. */
  changes: RefObject<Promise<void>>;
}

/** Which path of the documents means what: picked part by part, or typed as text. */
export function MappingEditor({ text, onChange, proposal, failure, changes }: Props) {
  const mapping = useMapping(text, onChange, changes);
  const [asText, setAsText] = useState(false);
  const refused = failure?.target?.field === "mapping" ? failure : null;
  const problem = mapping.problem ?? refused;
  // Text that cannot be read as parts has to be seen to be corrected.
  const isOpen = asText || (mapping.problem !== null && mapping.parts.length === 0);
  return (
    <section
      className="mapping"
      aria-label="Mapping"
      // A form that is opened for its mapping begins here.
      data-section="mapping"
      tabIndex={-1}
      data-testid="mapping"
      data-invalid={problem !== null || undefined}
    >
      {proposal && (
        <div className="proposal" data-testid="proposal">
          <p className="faint" role="status">
            Proposed from {proposal.documents} documents. Check the fields below; each of them can be changed.
          </p>
          <ProposalWarnings
            proposal={proposal}
            parts={mapping.parts}
            choose={(choices) =>
              choices.forEach(({ key, value }) => mapping.change({ change: "value", key, value }))
            }
          />
        </div>
      )}
      {mapping.parts.length > 0 && (
        <>
          <MappingTable mapping={mapping} proposal={proposal} />
          <AddFilter proposal={proposal} parts={mapping.parts} change={mapping.change} />
        </>
      )}
      {mapping.problem !== null && (
        <p className="field-error" role="alert" data-testid="mapping-problem">
          {mapping.problem.message} <span className="faint">{mapping.problem.next}</span>
        </p>
      )}
      <Button
        className="link mapping-toggle"
        aria-expanded={isOpen}
        onPress={() => setAsText(!isOpen)}
        data-testid="mapping-as-text"
      >
        <Icon name={isOpen ? "chevron" : "next"} size={10} /> As text
      </Button>
      {/* Hidden rather than removed, so that its undo history is not lost. */}
      <div hidden={!isOpen}>
        <TextField className="text-field" value={text} onChange={onChange} isInvalid={problem !== null}>
          <Label className="field-label">Mapping as JSON (leave blank for the defaults)</Label>
          <TextArea
            className="input code"
            rows={9}
            spellCheck="false"
            placeholder={
              '{"version": 1, "day_zone": "Europe/London", "filters": {"product": "instrument.name"}}'
            }
            data-testid="source-mapping"
          />
        </TextField>
      </div>
    </section>
  );
}

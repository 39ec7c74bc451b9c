import type { RefObject } from "react";
import { Button } from "react-aria-components";

import type { Failure } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { MappingEditor } from "./MappingEditor";
import type { Proposing } from "./useProposal";

interface Props {
  text: string;
  onChange: (text: string) => void;
  proposing: Proposing;
  canPropose: boolean;
  propose: () => void;
  /** Why the mapping was refused. */
  failure: Failure | null;
  /** Resolves once the changes that were made are in the text. */
  changes: RefObject<Promise<void>>;
}

/** The mapping, and what the documents suggest for it. */
export function MappingSection({ text, onChange, proposing, canPropose, propose, failure, changes }: Props) {
  const { busy, proposal } = proposing;
  // The defaults say nothing about documents that have not been chosen.
  const isTooEarly = text.trim() === "" && proposal === null && !busy && !canPropose && failure === null;
  return (
    <section className="source-mapping" aria-label="Mapping of the documents">
      <div className="source-head">
        <h3 className="field-label">Mapping</h3>
        <span className="faint" role="status">
          {busy && "Reading documents to propose a mapping"}
        </span>
        <span className="spacer" />
        {busy ? (
          <Button className="button small" onPress={proposing.stop} data-testid="source-propose-stop">
            Stop
          </Button>
        ) : (
          <Button
            className="button small"
            aria-disabled={!canPropose}
            onPress={() => canPropose && propose()}
            data-testid="source-propose"
          >
            Propose from documents
          </Button>
        )}
      </div>
      {proposing.failure && (
        <FailureNote failure={proposing.failure} testId="source-propose-failure" compact />
      )}
      {isTooEarly ? (
        <p className="faint">
          Name the database and the collection: a mapping is proposed from its documents.
        </p>
      ) : (
        <MappingEditor
          text={text}
          onChange={onChange}
          proposal={proposal}
          failure={failure}
          changes={changes}
        />
      )}
    </section>
  );
}

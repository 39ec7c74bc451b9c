import type { Proposal } from "../../backend";
import { CopyButton } from "../../controls/CopyButton";
import { Icon } from "../../controls/icons";

/** What will be slow or wrong with a proposed mapping, and what would help. */
export function ProposalWarnings({ proposal }: { proposal: Proposal }) {
  return proposal.warnings.map((warning) => (
    // Several warnings may have the same code.
    <div key={warning.message} className="note note-partial" data-testid="proposal-warning">
      <Icon name="warn" />
      <div className="note-body">
        {warning.message}
        {warning.fix !== null && (
          <div className="proposal-fix">
            <code>{warning.fix}</code>
            <CopyButton text={warning.fix} quiet />
          </div>
        )}
      </div>
    </div>
  ));
}

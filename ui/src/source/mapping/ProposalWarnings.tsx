import { Button } from "react-aria-components";

import type { MappingPart, PartChoice, Proposal } from "../../backend";
import { CopyButton } from "../../controls/CopyButton";
import { Icon } from "../../controls/icons";

interface Props {
  proposal: Proposal;
  parts: readonly MappingPart[];
  /** Takes over what a warning suggests. */
  choose: (choices: readonly PartChoice[]) => void;
}

/** What will be slow or wrong with a proposed mapping, and what would help. */
export function ProposalWarnings({ proposal, parts, choose }: Props) {
  const isChosen = ({ key, value }: PartChoice) =>
    parts.some((part) => part.key === key && part.value === value);
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
        {warning.choices.length > 0 && !warning.choices.every(isChosen) && (
          <Button
            className="link"
            onPress={() => choose(warning.choices)}
            data-testid="proposal-warning-choose"
          >
            Use {warning.choices.map(({ value }) => value).join(", ")}
          </Button>
        )}
      </div>
    </div>
  ));
}

import { useState } from "react";
import { Button } from "react-aria-components";

import type { MappingPart, Proposal } from "../../backend";
import { Icon } from "../../controls/icons";
import { MappingRow } from "./MappingRow";
import { unusedKeys } from "./parts";
import type { Mapping } from "./useMapping";

/** The parts of a mapping. Those that are neither used nor found in the documents are folded away. */
export function MappingTable({ mapping, proposal }: { mapping: Mapping; proposal: Proposal | null }) {
  const [isOpen, setOpen] = useState(false);
  // Decided before the trader changed anything: a row that moved when it gets a value would lose the focus.
  const folded = new Set(unusedKeys(mapping.first, proposal));
  const rest = mapping.parts.filter(({ key }) => folded.has(key));
  const row = (part: MappingPart) => (
    <MappingRow key={part.key} part={part} proposal={proposal} change={mapping.change} />
  );
  return (
    <table className="mapping-table">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Path in the documents</th>
          <th scope="col">{proposal === null ? "" : "What the documents say"}</th>
        </tr>
      </thead>
      <tbody>{mapping.parts.filter(({ key }) => !folded.has(key)).map(row)}</tbody>
      {rest.length > 0 && (
        <tbody>
          <tr>
            <td colSpan={3}>
              <Button
                className="link"
                aria-expanded={isOpen}
                onPress={() => setOpen(!isOpen)}
                data-testid="mapping-unused"
              >
                <Icon name={isOpen ? "chevron" : "next"} size={10} /> Not used ({rest.length})
              </Button>
            </td>
          </tr>
          {isOpen && rest.map(row)}
        </tbody>
      )}
    </table>
  );
}

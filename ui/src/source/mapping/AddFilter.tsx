import { useState } from "react";

import type { MappingChange, MappingPart, Proposal } from "../../backend";
import { pathChoices } from "./parts";
import { PathBox } from "./PathBox";

interface Props {
  proposal: Proposal | null;
  parts: readonly MappingPart[];
  change: (change: MappingChange) => void;
}

/** Adds a filter: picked from the paths of the documents, those first that suit a filter best, or typed. */
export function AddFilter({ proposal, parts, change }: Props) {
  // A new field after each one that is added, so that it is empty again.
  const [round, setRound] = useState(0);
  const used = new Set(parts.filter((part) => part.value_type !== null).map((part) => part.value));
  const choices = pathChoices(proposal, proposal?.further_filters ?? []).filter(({ id }) => !used.has(id));
  const add = (path: string) => {
    if (path === "") return;
    setRound(round + 1);
    const seen = proposal?.paths.find((one) => one.path === path);
    // The engine makes the name of it; a label can be given in its row.
    change({ change: "add_filter", path, value_type: seen?.value_type ?? "text", label: "" });
  };
  return (
    <div className="mapping-add">
      <span className="field-label" aria-hidden="true">
        Add a filter
      </span>
      <PathBox
        key={round}
        label="Add a filter"
        value=""
        choices={choices}
        placeholder="path in the documents"
        testId="mapping-add-filter"
        change={add}
      />
    </div>
  );
}

import { useRef } from "react";
import { Button } from "react-aria-components";

import type { MappingChange, MappingPart, Proposal } from "../../backend";
import { Icon } from "../../controls/icons";
import { Evidence } from "./Evidence";
import { FormSelect } from "./FormSelect";
import { LabelField } from "./LabelField";
import { choicesFor } from "./parts";
import { PathBox } from "./PathBox";

interface Props {
  part: MappingPart;
  proposal: Proposal | null;
  change: (change: MappingChange) => void;
}

/** One part of a mapping: what it means, which path it has, and what the documents say about it. */
export function MappingRow({ part, proposal, change }: Props) {
  const { key, title, value } = part;
  const row = useRef<HTMLTableRowElement>(null);
  const set = (text: string) => change({ change: "value", key, value: text === "" ? null : text });
  return (
    <tr ref={row} data-testid={`proposed-${key}`}>
      <th scope="row">{title}</th>
      <td>
        <div className="mapping-value">
          <PathBox
            label={title}
            value={value ?? ""}
            choices={choicesFor(part, proposal)}
            placeholder="Not used"
            testId={`mapping-${key}`}
            change={set}
          />
          {value !== null && (
            <Button
              className="icon-button"
              aria-label={`Do not use ${title}`}
              data-testid={`mapping-${key}-clear`}
              onPress={() => {
                // The button disappears with the value.
                row.current?.querySelector("input")?.focus();
                set("");
              }}
            >
              <Icon name="close" size={12} />
            </Button>
          )}
        </div>
        {part.form !== null && value !== null && (
          <FormSelect
            title={title}
            form={part.form}
            testId={`mapping-${key}-form`}
            change={(form) => change({ change: "form", key, form })}
          />
        )}
        {part.value_type !== null && value !== null && (
          <LabelField
            title={title}
            label={part.label ?? ""}
            testId={`mapping-${key}-label`}
            change={(label) => change({ change: "label", key, label })}
          />
        )}
      </td>
      <td className="evidence">
        {proposal !== null && <Evidence partKey={key} value={value} form={part.form} proposal={proposal} />}
        {value !== null && !part.is_given && <span className="faint">By default</span>}
      </td>
    </tr>
  );
}

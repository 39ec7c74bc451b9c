import { useState } from "react";
import { Button } from "react-aria-components";

import type { DocumentChange } from "../backend";
import { CopyButton } from "../controls/CopyButton";
import { plural } from "../controls/format";
import { entryName, KIND_HINTS, KIND_LABELS, NO_FIELD } from "./changes";

interface Props {
  entry: DocumentChange;
  text: string;
}

/** How many fields are shown at first, and the length to which a value is cut. */
const FIELDS = 12;
const MAX_VALUE = 400;

/** One message that differs, and in which fields. */
export function ChangeEntry({ entry, text }: Props) {
  const [all, setAll] = useState(false);
  const name = entryName(entry);
  const fields = all ? entry.fields : entry.fields.slice(0, FIELDS);
  const rest = entry.fields.length - fields.length;
  return (
    <li className="change" data-kind={entry.kind} data-role={entry.role} data-testid="change">
      <div className="change-head">
        <span className="change-kind" data-kind={entry.kind} title={KIND_HINTS[entry.kind]}>
          {KIND_LABELS[entry.kind]}
        </span>
        <strong className="change-name">{name}</strong>
        <span className="faint change-id">
          _id <span className="change-id-text">{entry.id}</span>
        </span>
        <span className="spacer" />
        <CopyButton text={text} about={`${KIND_LABELS[entry.kind]} ${name}, _id ${entry.id}`} quiet />
      </div>
      {fields.length > 0 && (
        <table className="change-fields">
          <caption className="visually-hidden">Fields of {name}, before and after</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr key={field.path}>
                <th scope="row">{field.path}</th>
                <td className="change-before">
                  <Value text={field.before} />
                </td>
                <td className="change-after">
                  <Value text={field.after} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rest > 0 && (
        <Button className="link" onPress={() => setAll(true)}>
          Show {plural(rest, "more field")}
        </Button>
      )}
    </li>
  );
}

function Value({ text }: { text: string | null }) {
  if (text === null) return <span className="no-field">{NO_FIELD}</span>;
  if (text.length <= MAX_VALUE) return <>{text}</>;
  return <span title="Shortened here; Copy includes the whole value">{`${text.slice(0, MAX_VALUE)}…`}</span>;
}

import { useState } from "react";
import { Input, TextField } from "react-aria-components";

interface Props {
  title: string;
  label: string;
  testId: string;
  change: (label: string) => void;
}

/** What a filter is called in the window. Taken when the field is left or Enter is pressed; Escape undoes it. */
export function LabelField({ title, label, testId, change }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    setDraft(null);
    if (draft !== null && draft.trim() !== label) change(draft.trim());
  };
  return (
    <TextField
      className="text-field"
      aria-label={`${title}: label`}
      value={draft ?? label}
      onChange={setDraft}
      onBlur={commit}
    >
      <Input
        className="input"
        placeholder="Label in the window"
        data-testid={testId}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            commit();
          } else if (event.key === "Escape" && draft !== null) {
            // Handled here: otherwise it would close the dialog around it.
            event.stopPropagation();
            setDraft(null);
          }
        }}
      />
    </TextField>
  );
}

import { Input, Label, TextField } from "react-aria-components";

interface Props {
  value: string;
  /** What the source is called if this stays blank. */
  usual: string;
  onChange: (name: string) => void;
}

/** What the source is called. */
export function NameField({ value, usual, onChange }: Props) {
  return (
    <TextField className="text-field" value={value} onChange={onChange}>
      <Label className="field-label">Name</Label>
      <Input
        className="input"
        placeholder={usual}
        autoComplete="off"
        spellCheck="false"
        data-testid="source-name"
      />
    </TextField>
  );
}

import { Input, Label, Text, TextField } from "react-aria-components";

export interface FormFieldProps {
  /** Its name in the form, by which tests find it. */
  name: string;
  label: string;
  placeholder: string;
  value: string;
  /** What has to be corrected. */
  problem: string | null;
  onChange: (text: string) => void;
}

/** One text of the connection's form. */
export function FormField({ name, label, placeholder, value, problem, onChange }: FormFieldProps) {
  return (
    <TextField className="text-field" value={value} onChange={onChange} isInvalid={problem !== null}>
      <Label className="field-label">{label}</Label>
      <Input
        className="input"
        placeholder={placeholder}
        autoComplete="off"
        spellCheck="false"
        data-testid={`source-form-${name}`}
      />
      {problem !== null && (
        <Text slot="description" className="field-error">
          {problem}
        </Text>
      )}
    </TextField>
  );
}

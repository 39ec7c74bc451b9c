import { Input, Label, TextField } from "react-aria-components";

interface Props {
  label: string;
  /** Says where the secret is, if the source has one already. */
  hint: string;
  value: string;
  isInvalid?: boolean;
  testId: string;
  autoFocus?: boolean;
  onChange: (text: string) => void;
}

/** A password or the like. */
export function SecretField({
  label,
  hint,
  value,
  isInvalid = false,
  testId,
  autoFocus = false,
  onChange,
}: Props) {
  return (
    <TextField
      className="text-field"
      type="password"
      value={value}
      onChange={onChange}
      isInvalid={isInvalid}
      autoFocus={autoFocus}
    >
      <Label className="field-label">{label}</Label>
      <Input className="input" autoComplete="off" placeholder={hint} data-testid={testId} />
    </TextField>
  );
}

import { Button } from "react-aria-components";

import { useBackend } from "../backend/context";
import { FormField, type FormFieldProps } from "./FormField";

/** The path of a file, typed or chosen. */
export function FileField(props: FormFieldProps) {
  const backend = useBackend();
  const choose = async () => {
    // If the dialog cannot be opened, the path can still be typed.
    const chosen = await backend.chooseFile().catch(() => null);
    if (chosen !== null) props.onChange(chosen);
  };
  return (
    <div className="file-field">
      <FormField {...props} />
      <Button className="button" aria-label={`Choose: ${props.label}`} onPress={() => void choose()}>
        Choose…
      </Button>
    </div>
  );
}

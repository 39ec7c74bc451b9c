import { Checkbox } from "react-aria-components";

interface Props {
  label: string;
  isSelected: boolean;
  problem?: string | null;
  testId?: string;
  onChange: (isSelected: boolean) => void;
}

/** Something that is on or off. */
export function Tick({ label, isSelected, problem = null, testId, onChange }: Props) {
  return (
    <Checkbox
      className="checkbox source-tick"
      isSelected={isSelected}
      isInvalid={problem !== null}
      onChange={onChange}
      data-testid={testId}
    >
      <span className="checkbox-box" aria-hidden="true" />
      <span>
        {label}
        {problem !== null && <span className="field-error"> {problem}</span>}
      </span>
    </Checkbox>
  );
}

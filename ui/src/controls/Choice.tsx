import { ToggleButton, ToggleButtonGroup } from "react-aria-components";

export interface ChoiceProps<T extends string> {
  label: string;
  /** Null if it is none of them. */
  value: T | null;
  options: readonly { id: T; label: string }[];
  testId: string;
  change: (value: T) => void;
}

/** One of a few options. */
export function Choice<T extends string>({ label, value, options, testId, change }: ChoiceProps<T>) {
  return (
    <ToggleButtonGroup
      className="segmented"
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={value === null ? [] : [value]}
      onSelectionChange={(keys) => {
        const chosen = options.find(({ id }) => keys.has(id));
        if (chosen !== undefined && chosen.id !== value) change(chosen.id);
      }}
      data-testid={testId}
    >
      {options.map(({ id, label }) => (
        <ToggleButton key={id} className="segment-button" id={id} data-testid={`${testId}-${id}`}>
          {label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

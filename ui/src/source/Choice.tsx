import {
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Text,
} from "react-aria-components";

import { Icon } from "../controls/icons";

interface Props<Value extends string> {
  label: string;
  /** What can be chosen, in its order, and what each is called. */
  names: Record<Value, string>;
  value: Value;
  problem: string | null;
  onChange: (value: Value) => void;
}

/** One of a few values. */
export function Choice<Value extends string>({ label, names, value, problem, onChange }: Props<Value>) {
  return (
    <Select
      className="text-field"
      value={value}
      onChange={(key) => {
        if (key !== null) onChange(key as Value);
      }}
      isInvalid={problem !== null}
    >
      <Label className="field-label">{label}</Label>
      <Button className="input source-choice">
        <SelectValue />
        <Icon name="chevron" size={12} />
      </Button>
      {problem !== null && (
        <Text slot="description" className="field-error">
          {problem}
        </Text>
      )}
      <Popover className="popover menu" offset={2}>
        <ListBox className="list-box">
          {Object.entries<string>(names).map(([key, name]) => (
            <ListBoxItem className="list-item" key={key} id={key}>
              {name}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

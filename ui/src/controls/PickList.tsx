import { Button, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";

import { Icon } from "./icons";

interface Props<Value extends string> {
  /** For screen readers: the value beside it says what it is. */
  label: string;
  /** In their order. */
  options: readonly { id: Value; name: string }[];
  value: Value;
  change: (value: Value) => void;
  testId: string;
}

/** One of a list, as small as its words. */
export function PickList<Value extends string>({ label, options, value, change, testId }: Props<Value>) {
  return (
    <Select
      className="pick-list"
      aria-label={label}
      value={value}
      onChange={(key) => {
        const chosen = options.find(({ id }) => id === key);
        if (chosen !== undefined && chosen.id !== value) change(chosen.id);
      }}
      data-testid={testId}
    >
      <Button className="button small pick-button">
        <SelectValue className="pick-value" />
        <Icon name="chevron" size={10} />
      </Button>
      <Popover className="popover menu" offset={2}>
        <ListBox className="list-box">
          {options.map(({ id, name }) => (
            <ListBoxItem className="list-item" key={id} id={id} textValue={name}>
              {name}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

import { Button, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";

import type { DateForm } from "../../backend";
import { Icon } from "../../controls/icons";
import { FORM_WORDS } from "./parts";

interface Props {
  title: string;
  form: DateForm;
  testId: string;
  change: (form: DateForm) => void;
}

/** How the values of a time or a date are stored. */
export function FormSelect({ title, form, testId, change }: Props) {
  return (
    <Select
      aria-label={`${title}: how it is stored`}
      value={form}
      onChange={(key) => {
        if (key !== form) change(key as DateForm);
      }}
    >
      <Button className="operator-button mapping-form" data-testid={testId}>
        <SelectValue className="mapping-form-text" />
        <Icon name="chevron" size={10} />
      </Button>
      <Popover className="popover menu" offset={2}>
        <ListBox className="list-box">
          {(Object.keys(FORM_WORDS) as DateForm[]).map((one) => (
            <ListBoxItem className="list-item" key={one} id={one}>
              {FORM_WORDS[one]}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

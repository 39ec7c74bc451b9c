import { type ComponentProps, type KeyboardEvent, use, useRef, useState } from "react";
import {
  Button,
  ComboBox,
  ComboBoxStateContext,
  Input,
  ListBox,
  ListBoxItem,
  Popover,
} from "react-aria-components";

import { Icon } from "../../controls/icons";
import { type Choice, offeredFor } from "./parts";

interface Props {
  label: string;
  /** What is chosen now; "" if nothing is. */
  value: string;
  choices: readonly Choice[];
  placeholder: string;
  testId: string;
  /** Called with what was picked or typed; "" if the field was emptied. */
  change: (value: string) => void;
}

/** Opens the list when it is clicked, but not when it is reached with Tab: a table has many of them. */
function ClickInput(props: ComponentProps<typeof Input>) {
  const state = use(ComboBoxStateContext);
  return <Input {...props} onClick={() => state?.open(null, "manual")} />;
}

/** A path, a zone or another name: picked from a list, or typed. Escape undoes what is being typed. */
export function PathBox({ label, value, choices, placeholder, testId, change }: Props) {
  // What is being typed; null while the field shows the current value.
  const [draft, setDraft] = useState<string | null>(null);
  const isOpen = useRef(false);
  const typed = draft ?? value;
  const commit = (text: string) => {
    setDraft(null);
    if (text.trim() !== value) change(text.trim());
  };
  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape" && (draft !== null || isOpen.current)) {
      // Handled here: otherwise it would close the dialog around it.
      event.stopPropagation();
      setDraft(null);
      return;
    }
    // While a choice is highlighted, Enter picks it. It never sends the form around it.
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (event.currentTarget.getAttribute("aria-activedescendant") === null && draft !== null) commit(draft);
  };
  return (
    <ComboBox
      aria-label={label}
      className="combo"
      items={offeredFor(choices, typed, value)}
      inputValue={typed}
      onInputChange={(text) => setDraft(text === value ? null : text)}
      value={null}
      onChange={(key) => {
        if (key !== null) commit(String(key));
      }}
      allowsCustomValue
      allowsEmptyCollection
      onOpenChange={(open) => {
        isOpen.current = open;
      }}
      onBlur={() => {
        if (draft !== null) commit(draft);
      }}
    >
      <ClickInput
        className="input code-line"
        placeholder={placeholder}
        autoComplete="off"
        spellCheck="false"
        onKeyDown={pressed}
        data-testid={testId}
      />
      <Button className="combo-button" aria-label={`Show choices for ${label}`}>
        <Icon name="chevron" size={12} />
      </Button>
      <Popover className="popover menu path-menu" offset={2}>
        <ListBox<Choice>
          className="list-box"
          renderEmptyState={() => (
            <p className="list-none faint">
              {choices.length === 0
                ? "Propose from documents to see what there is to choose from"
                : "Nothing matches; press Enter to use what you typed"}
            </p>
          )}
        >
          {(item) => (
            <ListBoxItem className="list-item path-item" id={item.id} textValue={item.id}>
              <span>{item.id}</span>
              {item.detail !== "" && <span className="path-detail">{item.detail}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

import type { Ref } from "react";
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover, Text } from "react-aria-components";

import { Icon } from "../controls/icons";
import type { Listing } from "./useListing";

/** A name, and what is known about it. */
export interface Choice {
  id: string;
  detail: string;
}

interface Props {
  label: string;
  /** What is chosen among, for a sentence: "databases". */
  plural: string;
  placeholder: string;
  testId: string;
  value: string;
  listing: Listing<unknown>;
  choices: readonly Choice[];
  isInvalid: boolean;
  inputRef?: Ref<HTMLInputElement>;
  onType: (text: string) => void;
  onChoose: (text: string) => void;
  /** Called with false when the field is left: what was typed is then meant. */
  onFocusChange: (isInside: boolean) => void;
}

/** What the open list says if it has no names. */
function emptyText({ isLoading, failure, items }: Listing<unknown>, plural: string): string {
  if (isLoading) return `Looking for ${plural}`;
  if (failure !== null) return "Type its name";
  return items === null || items.length > 0 ? "What you typed is used" : `There are no ${plural}`;
}

/** Why there is nothing to choose from; typing a name is always possible. */
function failureText({ failure }: Listing<unknown>, plural: string): string | null {
  if (failure === null || failure.code === "cancelled") return null;
  if (failure.code === "not_authorized") return `The user may not list ${plural}: type its name.`;
  return `The ${plural} could not be listed: ${failure.message}`;
}

/** A name that is typed or chosen from what the server lists. */
export function ListedField({ inputRef, ...props }: Props) {
  const { label, plural, listing, choices, value } = props;
  const problem = failureText(listing, plural);
  return (
    <ComboBox
      className="combo text-field"
      defaultItems={choices}
      inputValue={value}
      onInputChange={(text) => {
        if (text !== value) props.onType(text);
      }}
      // A text that names a choice is that choice: otherwise choosing one would open the list again.
      value={choices.some(({ id }) => id === value) ? value : null}
      onChange={(key) => {
        if (key !== null) props.onChoose(String(key));
      }}
      allowsCustomValue
      allowsEmptyCollection
      menuTrigger="focus"
      isInvalid={props.isInvalid}
      onFocusChange={props.onFocusChange}
    >
      <Label className="field-label">{label}</Label>
      <div className="combo-box">
        <Input
          ref={inputRef}
          className="input"
          placeholder={props.placeholder}
          autoComplete="off"
          spellCheck="false"
          data-testid={props.testId}
        />
        <Button className="combo-button" aria-label={`Show the ${plural}`}>
          <Icon name="chevron" size={12} />
        </Button>
      </div>
      {problem !== null && (
        <Text slot="description" className="faint field-note" data-testid={`${props.testId}-note`}>
          {problem}
        </Text>
      )}
      <Popover className="popover menu" offset={2}>
        <ListBox<Choice>
          className="list-box"
          renderEmptyState={() => <p className="list-none faint">{emptyText(listing, plural)}</p>}
        >
          {(choice) => (
            <ListBoxItem className="list-item listed-item" id={choice.id} textValue={choice.id}>
              <Text slot="label">{choice.id}</Text>
              {choice.detail !== "" && (
                <Text slot="description" className="listed-detail">
                  {choice.detail}
                </Text>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

import { Button, type ButtonProps, GridListItem } from "react-aria-components";

import type { SavedSource } from "../backend";
import { useCommandMenu } from "../controls/CommandMenu";
import { useCopy } from "../controls/useCopy";
import { COLOUR_NAMES } from "./colours";
import { Swatch } from "./Swatch";

interface Props {
  source: SavedSource;
  isInUse: boolean;
  /** The user is asked whether it should be deleted. */
  isDoubted: boolean;
  use: () => void;
  edit: () => void;
  duplicate: () => void;
  /** Asks first. */
  doubt: (isDoubted: boolean) => void;
  remove: () => void;
}

/** One source of the list, with what can be done with it. */
export function SourceItem({
  source,
  isInUse,
  isDoubted,
  use: choose,
  edit,
  duplicate,
  doubt,
  remove,
}: Props) {
  const { name, colour, profile } = source;
  const copy = useCopy();
  const { menu, onContextMenu } = useCommandMenu({
    place: "sources",
    label: name,
    testId: "source-item-menu",
    commands: ["use", "edit", "duplicate", "delete", "copy_place"],
    disabled: isInUse ? ["use"] : [],
    perform: (command) => {
      if (command === "use") choose();
      else if (command === "edit") edit();
      else if (command === "duplicate") duplicate();
      else if (command === "delete") doubt(true);
      else copy(profile.uri);
    },
  });
  /** Escape withdraws the question, and leaves the list open. */
  const withdraw: ButtonProps["onKeyDown"] = (event) => {
    if (event.key === "Escape") doubt(false);
    else event.continuePropagation();
  };
  const button = (label: string, press: () => void, testId: string) => (
    <Button className="button small" aria-label={`${label} ${name}`} onPress={press} data-testid={testId}>
      {label}
    </Button>
  );
  return (
    <GridListItem
      id={source.id}
      className="source-item"
      textValue={name}
      data-in-use={isInUse || undefined}
      data-testid="source-item"
      onContextMenu={onContextMenu}
    >
      <Swatch colour={colour} />
      {menu}
      <div className="source-item-text">
        <div>
          <strong>{name}</strong>
          <span className="visually-hidden">, {COLOUR_NAMES[colour]}</span>
          {isInUse && <span className="source-in-use">in use</span>}
        </div>
        <div>
          {profile.database}.{profile.collection}
        </div>
        <div className="faint source-item-uri" title={profile.uri}>
          {profile.uri}
        </div>
      </div>
      {isDoubted ? (
        <div className="source-item-doubt" role="alert">
          <p>Delete this source? What is cached of it stays.</p>
          <div className="source-item-buttons">
            <Button
              className="button small"
              onPress={() => doubt(false)}
              onKeyDown={withdraw}
              autoFocus
              data-testid="source-delete-cancel"
            >
              Cancel
            </Button>
            <Button
              className="button small danger"
              aria-label={`Delete ${name}`}
              onPress={remove}
              onKeyDown={withdraw}
              data-testid="source-delete-confirm"
            >
              Delete
            </Button>
          </div>
        </div>
      ) : (
        <div className="source-item-buttons">
          {!isInUse && button("Use", choose, "source-use")}
          {button("Edit", edit, "source-edit")}
          {button("Duplicate", duplicate, "source-duplicate")}
          {button("Delete", () => doubt(true), "source-delete")}
        </div>
      )}
    </GridListItem>
  );
}

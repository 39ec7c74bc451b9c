import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
} from "react-aria-components";

import type { CachedQuery } from "../backend";
import type { Command } from "../controls/commands";
import { type NamedCommand, namedOf } from "../controls/keys";
import type { GridCommand } from "../rows/grid/gridKeys";
import { PointMenuItem } from "../controls/PointMenu";

/** What was chosen in the palette. */
export type PaletteChoice =
  | { of: "window"; command: Command<"window"> }
  | { of: "rows"; command: GridCommand }
  | { of: "cached"; query: CachedQuery };

interface Props {
  /** There are rows that commands can be about. */
  hasRows: boolean;
  cached: readonly CachedQuery[];
  nameOf: (query: CachedQuery) => string;
  choose: (choice: PaletteChoice) => void;
  close: () => void;
}

/** Whether a text has all the words that are typed, in any order. */
export function hasWords(text: string, typed: string): boolean {
  const lower = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}

/** Every command with a name, found by typing parts of it. */
export function CommandPalette({ hasRows, cached, nameOf, choose, close }: Props) {
  const chosen = (key: string) => {
    const [of = "", id = ""] = key.split("|");
    close();
    const query = cached.find(({ signature }) => signature === id);
    if (of === "cached" && query !== undefined) choose({ of, query });
    if (of === "window") choose({ of, command: id as Command<"window"> });
    if (of === "rows") choose({ of, command: id as GridCommand });
  };
  const items = (of: string, commands: readonly NamedCommand<"window" | "rows">[]) =>
    commands.map(({ id, name, keys }) => (
      <PointMenuItem key={id} id={`${of}|${id}`} label={name} keys={keys || undefined} />
    ));
  const openable = cached.filter(({ failure, held }) => failure === null && held.length > 0);
  return (
    <ModalOverlay
      className="overlay palette-overlay"
      isOpen
      isDismissable
      onOpenChange={(open) => !open && close()}
    >
      <Modal className="modal palette">
        <Dialog className="palette-dialog" aria-label="Commands" data-testid="palette">
          <Autocomplete filter={hasWords}>
            <SearchField aria-label="Find a command" autoFocus>
              <Input className="input" placeholder="Find a command" data-testid="palette-input" />
            </SearchField>
            <Menu
              className="menu-list palette-list"
              aria-label="Commands"
              onAction={(key) => chosen(String(key))}
              renderEmptyState={() => <p className="list-none faint">No command has this name</p>}
            >
              <MenuSection aria-label="Window">{items("window", namedOf("window"))}</MenuSection>
              {hasRows && (
                <MenuSection>
                  <Header className="menu-head">Rows: the current cell</Header>
                  {items("rows", namedOf("rows"))}
                </MenuSection>
              )}
              {openable.length > 0 && (
                <MenuSection>
                  <Header className="menu-head">Open a cached query</Header>
                  {openable.map((query) => (
                    <PointMenuItem
                      key={query.signature}
                      id={`cached|${query.signature}`}
                      label={nameOf(query)}
                      keys={query.source}
                    />
                  ))}
                </MenuSection>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

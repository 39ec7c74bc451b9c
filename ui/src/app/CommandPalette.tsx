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
import { hasWords } from "../controls/format";
import { type NamedCommand, namedOf } from "../controls/keys";
import type { GridCommand } from "../rows/grid/gridKeys";
import { PointMenuItem } from "../controls/PointMenu";

/** What was chosen in the palette. */
export type PaletteChoice =
  | { of: "window"; command: Command<"window"> }
  | { of: "rows"; command: GridCommand }
  | { of: "cached"; query: CachedQuery };

/** The palette has given the focus back after this time. */
const FOCUS_MS = 60;

interface Props {
  /** There are rows that commands can be about. */
  hasRows: boolean;
  cached: readonly CachedQuery[];
  nameOf: (query: CachedQuery) => string;
  choose: (choice: PaletteChoice) => void;
  close: () => void;
}

/** Every command with a name, found by typing parts of it. */
export function CommandPalette({ hasRows, cached, nameOf, choose, close }: Props) {
  const chosen = (key: string) => {
    const [of = "", id = ""] = key.split("|");
    close();
    const query = cached.find(({ signature }) => signature === id);
    // After the palette has given the focus back, since some commands move it.
    setTimeout(() => {
      if (of === "cached" && query !== undefined) choose({ of, query });
      if (of === "window") choose({ of, command: id as Command<"window"> });
      if (of === "rows") choose({ of, command: id as GridCommand });
    }, FOCUS_MS);
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

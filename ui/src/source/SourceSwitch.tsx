import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover, Separator, Text } from "react-aria-components";

import { type Failure, type SourceView, toFailure } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { Icon } from "../controls/icons";
import { COLOUR_NAMES } from "./colours";
import { Swatch } from "./Swatch";

interface Props {
  view: SourceView;
  switchTo: (id: string) => Promise<void>;
  openSources: () => void;
}

/** The item that opens the list; no source has this id. */
const ALL = "sources";

/** Switches between sources with two presses. */
export function SourceSwitch({ view, switchTo, openSources }: Props) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const { sources, in_use } = view;
  const choose = (id: string) => {
    setFailure(null);
    if (id === ALL) openSources();
    else if (id !== in_use) switchTo(id).catch((error: unknown) => setFailure(toFailure(error)));
  };
  return (
    <>
      <MenuTrigger>
        <Button className="icon-button" aria-label="Switch to a different source" data-testid="source-switch">
          <Icon name="chevron" />
        </Button>
        <Popover className="popover menu" placement="bottom start">
          <Menu
            className="menu-list"
            aria-label="Sources"
            onAction={(key) => choose(String(key))}
            data-testid="source-menu"
          >
            {sources.map(({ id, name, colour, profile }) => (
              <MenuItem key={id} id={id} className="menu-item source-menu-item" textValue={name}>
                <Swatch colour={colour} />
                <Text slot="label">
                  {name}
                  <span className="visually-hidden">
                    , {COLOUR_NAMES[colour]}
                    {id === in_use && ", in use"}
                  </span>
                </Text>
                <Text slot="description" className="menu-keys">
                  {id === in_use ? "in use" : `${profile.database}.${profile.collection}`}
                </Text>
              </MenuItem>
            ))}
            <Separator className="menu-line" />
            <MenuItem id={ALL} className="menu-item" textValue="Sources…">
              <Text slot="label">Sources…</Text>
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      {failure && (
        <FailureNote failure={failure} testId="source-switch-failure" dismiss={() => setFailure(null)} />
      )}
    </>
  );
}

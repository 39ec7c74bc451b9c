import { Button } from "react-aria-components";

import type { SourceView } from "../backend";
import { Icon } from "../controls/icons";
import { COLOUR_NAMES } from "./colours";
import { Swatch } from "./Swatch";
import { SourceSwitch } from "./SourceSwitch";

interface Props {
  view: SourceView;
  switchTo: (id: string) => Promise<void>;
  openSources: () => void;
}

/** Which source is in use; pressing it shows all of them. */
export function SourceButton({ view, switchTo, openSources }: Props) {
  const { profile, source, sources } = view;
  const saved = sources.find(({ id }) => id === view.in_use);
  const place = profile === null ? "" : `${profile.database}.${profile.collection}`;
  return (
    <div className="source-switcher">
      <Button className="source-name" onPress={openSources} data-testid="source-button">
        {saved === undefined || profile === null ? (
          <strong>{sources.length === 0 ? "Set up a source" : "Choose a source"}</strong>
        ) : (
          <>
            <Swatch colour={saved.colour} />
            <strong className="source-title">{saved.name}</strong>
            <span className="visually-hidden">, {COLOUR_NAMES[saved.colour]}, </span>
            {/* A source without a name of its own is called by its place. */}
            <span className="faint source-host">
              {saved.name === place ? source?.hosts : `${place} at ${source?.hosts ?? ""}`}
            </span>
          </>
        )}
        <Icon name="gear" />
      </Button>
      {sources.length > 1 && <SourceSwitch view={view} switchTo={switchTo} openSources={openSources} />}
    </div>
  );
}

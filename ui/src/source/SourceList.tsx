import { useState } from "react";
import { Button, GridList, Heading } from "react-aria-components";

import type { SavedSource, SourceView } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { SourceItem } from "./SourceItem";
import { useAttempt } from "./useAttempt";
import type { SourceActions } from "./useSource";

interface Props {
  view: SourceView;
  actions: Pick<SourceActions, "use" | "remove">;
  /** A run is in progress; using a different source ends it. */
  running: boolean;
  add: () => void;
  edit: (source: SavedSource) => void;
  duplicate: (source: SavedSource) => void;
  close: () => void;
}

/** The sources that are set up. */
export function SourceList({ view, actions, running, add, edit, duplicate, close }: Props) {
  const { busy, failure, start } = useAttempt();
  const [doubted, setDoubted] = useState<string | null>(null);
  const { sources, in_use } = view;
  const use = (id: string) => {
    if (id === in_use) close();
    else start(() => actions.use(id), close);
  };
  return (
    <>
      <Heading slot="title" className="dialog-title">
        Sources
      </Heading>
      <GridList
        className="source-list"
        aria-label="Sources"
        selectionMode="single"
        selectionBehavior="replace"
        defaultSelectedKeys={in_use === null ? [] : [in_use]}
        onAction={(id) => use(String(id))}
        dependencies={[in_use, doubted]}
        items={sources}
        renderEmptyState={() => <p className="faint source-none">No source is set up.</p>}
      >
        {(source) => (
          <SourceItem
            source={source}
            isInUse={source.id === in_use}
            isDoubted={source.id === doubted}
            use={() => use(source.id)}
            edit={() => edit(source)}
            duplicate={() => duplicate(source)}
            doubt={(isDoubted) => setDoubted(isDoubted ? source.id : null)}
            remove={() =>
              start(
                () => actions.remove(source.id),
                () => setDoubted(null),
              )
            }
          />
        )}
      </GridList>
      {running && (
        <p className="faint" data-testid="sources-running">
          A fetch is running. Using a different source stops it; everything stored so far stays in the cache.
        </p>
      )}
      {failure && <FailureNote failure={failure} testId="sources-failure" />}
      <div className="buttons">
        <Button className="button" onPress={add} autoFocus={sources.length === 0} data-testid="source-add">
          Add a source
        </Button>
        <span className="spacer" />
        <Button className="button" onPress={close} aria-disabled={busy} data-testid="sources-close">
          Close
        </Button>
      </div>
    </>
  );
}

import { useMemo, useState } from "react";
import { Button, Input, SearchField } from "react-aria-components";

import type { CachedQuery, ViewKey } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { CacheBudget } from "./CacheBudget";
import { CachedItem } from "./CachedItem";
import { alike, isFound, titleOf } from "./cachedText";
import { ForgottenItem } from "./ForgottenItem";
import type { Cached } from "./useCached";
import type { Forgetting } from "./useForgetting";
import type { Names } from "./useNames";

interface Props {
  cached: Cached;
  folder: string;
  zone: string;
  current: string | null;
  open: (query: CachedQuery) => Promise<void>;
  forgetting: Pick<Forgetting, "forgotten" | "forget" | "undo">;
  names: Names;
  rename: (signature: string, name: string) => void;
  pin: (query: CachedQuery, pinned: boolean) => Promise<void>;
  showPipeline: (key: ViewKey) => void;
  setBudget: (bytes: number) => Promise<void>;
}

/** The list of cached queries. Needs no server. */
export function CachedPanel(props: Props) {
  const { cached, folder, zone, current, open, forgetting, names, rename, pin, showPipeline, setBudget } =
    props;
  const [typed, setTyped] = useState("");
  const { queries, usage, failure } = cached;
  const same = useMemo(() => alike(queries ?? []), [queries]);
  const found = queries?.filter((query) => isFound(query, names, typed.trim())) ?? [];
  return (
    <div className="cached-panel">
      {failure && <FailureNote failure={failure} action={{ label: "Try again", press: cached.reload }} />}
      {queries?.length === 0 && (
        <p className="empty">
          Nothing is cached yet. Queries that you fetch appear here and can be opened without the server.
        </p>
      )}
      {queries !== null && queries.length > 1 && (
        <SearchField
          className="cached-search"
          aria-label="Find a cached query"
          value={typed}
          onChange={setTyped}
        >
          <Input
            className="input"
            placeholder="Find by name, filter, source or day"
            data-testid="cached-search"
          />
        </SearchField>
      )}
      {queries !== null && queries.length > 0 && found.length === 0 && (
        <p className="empty" role="status">
          No cached query has these words.
        </p>
      )}
      <ul className="cached-list">
        {found.map((query) =>
          forgetting.forgotten.has(query.signature) ? (
            <ForgottenItem
              key={query.signature}
              query={query}
              name={titleOf(query, names)}
              undo={() => forgetting.undo(query.signature)}
            />
          ) : (
            <CachedItem
              key={query.signature}
              query={query}
              zone={zone}
              current={query.signature === current}
              alike={same.has(query.signature)}
              open={() => open(query)}
              given={names[query.signature]}
              rename={(name) => rename(query.signature, name)}
              forget={() => forgetting.forget(query)}
              pin={(pinned) => pin(query, pinned)}
              showPipeline={showPipeline}
            />
          ),
        )}
      </ul>
      <footer className="cached-foot">
        {usage && <CacheBudget usage={usage} queries={queries ?? []} setBudget={setBudget} />}
        <div className="cached-folder">
          <span className="path faint" title={folder}>
            {folder}
          </span>
          <Button className="link" onPress={cached.reload}>
            Reload
          </Button>
        </div>
      </footer>
    </div>
  );
}

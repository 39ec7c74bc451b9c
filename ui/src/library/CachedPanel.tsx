import { useMemo } from "react";
import { Button } from "react-aria-components";

import type { CachedQuery, ViewKey } from "../backend";
import { FailureNote } from "../controls/FailureNote";
import { CacheBudget } from "./CacheBudget";
import { CachedItem } from "./CachedItem";
import { alike } from "./cachedText";
import type { Cached } from "./useCached";

interface Props {
  cached: Cached;
  folder: string;
  zone: string;
  current: string | null;
  open: (query: CachedQuery) => Promise<void>;
  forget: (query: CachedQuery) => Promise<void>;
  pin: (query: CachedQuery, pinned: boolean) => Promise<void>;
  showPipeline: (key: ViewKey) => void;
  setBudget: (bytes: number) => Promise<void>;
}

/** The list of cached queries. Needs no server. */
export function CachedPanel(props: Props) {
  const { cached, folder, zone, current, open, forget, pin, showPipeline, setBudget } = props;
  const { queries, usage, failure } = cached;
  const same = useMemo(() => alike(queries ?? []), [queries]);
  return (
    <div className="cached-panel">
      {failure && <FailureNote failure={failure} action={{ label: "Try again", press: cached.reload }} />}
      {queries?.length === 0 && (
        <p className="empty">
          Nothing is cached yet. Queries that you fetch appear here and can be opened without the server.
        </p>
      )}
      <ul className="cached-list">
        {queries?.map((query) => (
          <CachedItem
            key={query.signature}
            query={query}
            zone={zone}
            current={query.signature === current}
            alike={same.has(query.signature)}
            open={() => open(query)}
            forget={() => forget(query)}
            pin={(pinned) => pin(query, pinned)}
            showPipeline={showPipeline}
          />
        ))}
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

import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import type { ReactNode } from "react";

interface Props {
  tab: "query" | "cached";
  setTab: (tab: "query" | "cached") => void;
  cachedCount: number | null;
  query: ReactNode;
  cached: ReactNode;
}

export function SidePanel({ tab, setTab, cachedCount, query, cached }: Props) {
  return (
    <Tabs
      className="side-panel"
      selectedKey={tab}
      onSelectionChange={(key) => setTab(key === "cached" ? "cached" : "query")}
    >
      <TabList className="tab-list side-tabs" aria-label="Side panel">
        <Tab id="query" className="tab" data-testid="query-tab">
          Query
        </Tab>
        <Tab id="cached" className="tab" data-testid="cached-tab">
          Cached {cachedCount !== null && <span className="tab-count num">{cachedCount}</span>}
        </Tab>
      </TabList>
      {/* The form stays mounted, so that nothing typed is lost while the list is shown. */}
      <TabPanel id="query" className="side-body" shouldForceMount>
        {query}
      </TabPanel>
      <TabPanel id="cached" className="side-body">
        {cached}
      </TabPanel>
    </Tabs>
  );
}

import type { SourceView } from "../backend";
import type { Planned } from "../plan/usePlan";
import { BeforeFetch } from "./BeforeFetch";
import { FirstStart } from "./FirstStart";

interface Props {
  source: SourceView;
  planned: Planned;
  trySample: () => Promise<void>;
  openSource: () => void;
  openCached: () => void;
  openGuide: () => void;
}

/** Shown where the rows will be, before there are any. */
export function Welcome({ source, planned, trySample, openSource, openCached, openGuide }: Props) {
  return (
    <div className="welcome" data-testid="welcome">
      {source.profile === null ? (
        <FirstStart
          hasSources={source.sources.length > 0}
          hasSample={source.has_sample}
          trySample={trySample}
          openSource={openSource}
          openCached={openCached}
          openGuide={openGuide}
        />
      ) : (
        <BeforeFetch source={source} planned={planned} />
      )}
    </div>
  );
}

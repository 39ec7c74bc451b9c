import { Button } from "react-aria-components";

import { FailureNote } from "../controls/FailureNote";
import { useSample } from "../source/useSample";

interface Props {
  /** Sources are set up, and none of them is in use. */
  hasSources: boolean;
  /** There is a sample server on this computer to try. */
  hasSample: boolean;
  trySample: () => Promise<void>;
  openSource: () => void;
  openCached: () => void;
  openGuide: () => void;
}

const STEPS = [
  ["Connect", "Say where your trades are in MongoDB. Tidemark only reads; it never writes to MongoDB."],
  ["Choose", "Pick the days and the filters. The plan says beforehand what will be fetched."],
  ["Fetch", "Days that you have fetched before come from this computer, at once and without the server."],
] as const;

/** What Tidemark does and how to begin, until a source is set up. */
export function FirstStart({ hasSources, hasSample, trySample, openSource, openCached, openGuide }: Props) {
  const sample = useSample(trySample);
  return (
    <div className="first-start">
      <h2>Trades from MongoDB, and a cache of them on this computer</h2>
      <ol className="first-steps">
        {STEPS.map(([name, text]) => (
          <li key={name}>
            <strong>{name}</strong> <span>{text}</span>
          </li>
        ))}
      </ol>
      {sample.failure && <FailureNote failure={sample.failure} testId="welcome-failure" />}
      <div className="first-buttons">
        <Button className="button primary" onPress={openSource} data-testid="welcome-setup">
          {hasSources ? "Choose a source" : "Set up a source"}
        </Button>
        {hasSample && (
          <Button
            className="button"
            aria-disabled={sample.busy || undefined}
            onPress={sample.start}
            data-testid="welcome-sample"
          >
            {sample.busy ? "Starting the sample desk" : "Try the sample desk"}
          </Button>
        )}
        <Button className="button quiet" onPress={openGuide} data-testid="welcome-database-team">
          What a database team may ask
        </Button>
      </div>
      <p className="faint">
        {hasSources ? "No source is chosen." : "No source is set up yet."} You can open{" "}
        <Button className="link" onPress={openCached} data-testid="welcome-cached">
          cached queries
        </Button>{" "}
        without one.
      </p>
    </div>
  );
}

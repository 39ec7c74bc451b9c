import { ProgressBar } from "react-aria-components";

import { count, plural, timeLeft } from "../controls/format";
import { fraction, type Run, runWords } from "./runState";

/** The progress of the current run. */
export function ProgressPanel({ run }: { run: Run }) {
  const { progress } = run;
  const done = fraction(progress);
  // An estimate of 0 is of no use.
  const expected = progress.expectedRows ?? 0;
  const words = runWords(run);
  // A verification reports rows only once it has found days that differ.
  const rowsCome = run.mode !== "verify" || run.planned;
  return (
    <div className="progress-panel" data-testid="progress" data-rows={progress.rows}>
      <ProgressBar
        className="progress"
        aria-label={words}
        value={Math.round((done ?? 0) * 100)}
        isIndeterminate={done === null}
      >
        {({ percentage, valueText }) => (
          <>
            <div className="progress-track">
              <div
                className="progress-fill"
                data-unknown={done === null || undefined}
                style={done === null ? undefined : { transform: `scaleX(${(percentage ?? 0) / 100})` }}
              />
            </div>
            <div className="progress-words num">
              <strong>
                {words} {done !== null && valueText}
              </strong>
              {rowsCome && (
                <span data-testid="progress-rows">
                  {expected === 0
                    ? plural(progress.rows, "trade")
                    : `${count(progress.rows)} of about ${plural(expected, "trade")}`}
                </span>
              )}
              {progress.daysTotal > 0 && (
                <span data-testid="progress-days">
                  {progress.daysDone} of {plural(progress.daysTotal, "day")}
                </span>
              )}
              {progress.rowsPerSecond >= 1 && <span>{count(progress.rowsPerSecond)} trades/s</span>}
              {progress.remainingMs !== null && <span>{timeLeft(progress.remainingMs)}</span>}
              {progress.rows > 0 && progress.downstreamRows + progress.tradesAsked > 0 && (
                <span className="faint">
                  {plural(progress.downstreamRows, "message")} for {count(progress.tradesDone)} of{" "}
                  {plural(progress.tradesAsked, "trade")}
                </span>
              )}
            </div>
          </>
        )}
      </ProgressBar>
    </div>
  );
}

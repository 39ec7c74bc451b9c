// What became of a run whose source is no longer the one in use.

import type { Answer } from "../backend";
import { plural } from "../controls/format";
import type { Ending, Run } from "./runState";

/** A run that was stopped because the source in use was changed. */
export interface Left {
  id: number;
  /** What the source that it queried is called. */
  name: string;
  /** The days that it stored. */
  days: number;
  /** How it ended; null while it is being stopped. */
  outcome: Ending["outcome"] | null;
}

/** A run that is being stopped. `name` is what its source is called. */
export function leftRun(run: Run, name: string): Left {
  return { id: run.id, name, days: run.livePlan?.days.size ?? 0, outcome: null };
}

/** The same once it has ended: days may have been stored until then. */
export function endedRun(left: Left, outcome: Ending["outcome"], answer: Answer | null): Left {
  const { fetched = 0, adopted = 0 } = answer?.days ?? {};
  return { ...left, outcome, days: Math.max(left.days, fetched + adopted) };
}

/** What became of a fetch whose source is no longer the one in use. */
export function leftText({ name, days, outcome }: Left): string {
  const of = name === "" ? "The fetch" : `The fetch from ${name}`;
  if (outcome === null) return `${of} is being stopped, because the source was changed.`;
  const stored = days === 0 ? "nothing was stored" : `${plural(days, "day")} stored in the cache`;
  if (outcome === "finished") return `${of} was done before it could be stopped: ${stored}.`;
  return `${of} was stopped, because the source was changed: ${stored}.`;
}

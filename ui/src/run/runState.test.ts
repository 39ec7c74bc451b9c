import { describe, expect, it } from "vitest";

import type { Connection, DayView, RunEvent } from "../backend";
import { makeAnswer, makeFailure, makePartial, makeQuery } from "../test/made";
import {
  activity,
  fraction,
  IDLE,
  MAX_RESUMES,
  outcomeOf,
  runReducer,
  type RunState,
  shouldResume,
  type View,
} from "./runState";

const unreachable = makeFailure("source_unreachable", "No answer.");
const online: Connection = {
  state: "online",
  round_trip_ms: 1,
  version: "8",
  unverified: null,
  warnings: [],
};
const offline: Connection = { state: "offline", failure: unreachable };
const key = { signature: "5".repeat(32), from: "2025-01-01", to: "2025-01-31" };
const view = (answer = makeAnswer()): View => ({
  key,
  query: makeQuery(),
  answer,
  mode: "normal",
});

function started(resumed = 0): RunState {
  return runReducer(IDLE, {
    type: "started",
    id: 1,
    query: makeQuery(),
    mode: "normal",
    key,
    source: "one",
    resumed,
    background: false,
  });
}

describe("a run", () => {
  it("keeps the answer on the screen until another is there", () => {
    const opened = runReducer(IDLE, { type: "opened", view: view() });
    const run = runReducer(opened, {
      type: "started",
      id: 2,
      query: makeQuery(),
      mode: "refresh",
      key,
      source: "one",
      resumed: 0,
      background: false,
    });
    expect(run.view).toBe(opened.view);
    const failed = runReducer(run, {
      type: "ended",
      id: 2,
      outcome: "failed",
      view: null,
      failure: unreachable,
    });
    expect(failed.view).toBe(opened.view);
    expect(failed.run).toBeNull();
  });

  it("takes no event of a run that is over", () => {
    const state = started();
    expect(
      runReducer(state, {
        type: "event",
        id: 7,
        event: {
          event: "chunk_stored",
          from: "2025-01-01",
          to: "2025-01-02",
          input_rows: 1,
          downstream_rows: 0,
          days: [],
          sentence: "",
        },
      }),
    ).toBe(state);
    expect(
      runReducer(state, { type: "ended", id: 7, outcome: "finished", view: view(), failure: null }),
    ).toBe(state);
  });

  it("shows rows as soon as the plan says that some are cached", () => {
    const planned = (cached: number) =>
      runReducer(started(), {
        type: "event",
        id: 1,
        event: {
          event: "planned",
          signature: key.signature,
          filters: "no filter",
          days_to_pull: 7,
          days_cached: cached,
          days_to_adopt: 0,
          windows: 1,
          expected_rows: 10,
        },
      });
    expect(planned(0).run?.stored).toBe(0);
    expect(planned(24).run?.stored).toBe(1);
  });

  it("takes the signature from the plan of the run", () => {
    const unknown = runReducer(IDLE, {
      type: "started",
      id: 1,
      query: makeQuery(),
      mode: "normal",
      key: null,
      source: "one",
      resumed: 0,
      background: false,
    });
    const planned = runReducer(unknown, {
      type: "event",
      id: 1,
      event: {
        event: "planned",
        signature: "9".repeat(32),
        filters: "no filter",
        days_to_pull: 1,
        days_cached: 30,
        days_to_adopt: 0,
        windows: 1,
        expected_rows: null,
      },
    });
    expect(planned.run?.key).toEqual({ signature: "9".repeat(32), from: "2025-01-01", to: "2025-01-31" });
  });

  const stored = (sentence: string, ...days: DayView[]): RunEvent => ({
    event: "chunk_stored",
    from: days[0]?.day ?? "",
    to: days.at(-1)?.day ?? "",
    input_rows: 5,
    downstream_rows: 15,
    days,
    sentence,
  });
  const day = (name: string, part: Partial<DayView> = {}): DayView => ({
    day: name,
    state: "settled",
    action: "serve",
    why: null,
    input_rows: 5,
    downstream_rows: 15,
    fetched: "2025-02-02T09:00:00Z",
    ...part,
  });
  const after = (...events: RunEvent[]) =>
    events.reduce((state, event) => runReducer(state, { type: "event", id: 1, event }), started());

  it("collects the days that were stored, each as it was stored last, and takes the last sentence", () => {
    expect(started().run?.livePlan).toBeNull();
    const open = day("2025-01-09", { state: "open" });
    const state = after(
      stored("1 of 31 days cached", day("2025-01-01", { input_rows: 1 })),
      stored("3 of 31 days cached", open, day("2025-01-10")),
      stored("3 of 31 days cached, again", day("2025-01-01")),
    );
    expect(state.run?.livePlan?.sentence).toBe("3 of 31 days cached, again");
    expect([...(state.run?.livePlan?.days.values() ?? [])]).toEqual([
      day("2025-01-01"),
      open,
      day("2025-01-10"),
    ]);
    expect(state.run?.stored).toBe(3);
  });

  it("remembers in its end whether it has stored days", () => {
    const cancelled = { type: "ended", id: 1, outcome: "cancelled", view: null, failure: null } as const;
    expect(runReducer(started(), cancelled).ending?.stored).toBe(false);
    const state = after(stored("1 of 31 days cached", day("2025-01-01")));
    expect(runReducer(state, cancelled).ending?.stored).toBe(true);
  });

  const other = { signature: "8".repeat(32), from: "2025-01-01", to: "2025-01-31" };
  const end = (state: RunState) =>
    runReducer(state, {
      type: "ended",
      id: 1,
      outcome: "finished",
      view: view(makePartial(["2025-01-31"], { failure: unreachable })),
      failure: null,
    });

  it("does not push away what was opened meanwhile, nor when it goes on by itself", () => {
    const opened = runReducer(started(), { type: "opened", view: { ...view(), key: other } });
    expect(opened.run?.background).toBe(true);
    const ended = end(opened);
    expect(ended.view).toBe(opened.view);
    expect(ended.ending).toMatchObject({ background: true, awaitsSource: true });
  });

  it("renews the rows that are looked at, also where they were opened anew", () => {
    const opened = runReducer(started(), { type: "opened", view: view() });
    expect(opened.run?.background).toBe(false);
    expect(end(opened).view?.answer.complete).toBe(false);
    const away = runReducer(started(), { type: "opened", view: { ...view(), key: other } });
    const back = runReducer(away, { type: "opened", view: view() });
    expect(end(back).view?.answer.complete).toBe(false);
  });

  it("takes in what a view was found to hold, if it still stands", () => {
    const opened = runReducer(IDLE, { type: "opened", view: view() });
    const answer = makePartial(["2025-01-31"]);
    expect(runReducer(opened, { type: "reread", key, answer }).view?.answer).toBe(answer);
    expect(runReducer(opened, { type: "reread", key: other, answer })).toBe(opened);
  });

  it("leaves nothing behind when another source is taken into use", () => {
    const shown = runReducer(started(), { type: "opened", view: view() });
    const left = runReducer(shown, { type: "left", name: "desk" });
    const { id } = shown.run ?? { id: 0 };
    const stopped = { id, name: "desk", days: 0, outcome: null };
    expect(left).toEqual({ ...IDLE, version: shown.version + 1, left: stopped });
    const next = runReducer(left, { type: "left", name: "archive" });
    expect(next.left).toEqual(stopped);
    expect(runReducer(next, { type: "left_read" }).left).toBeNull();
  });

  it("knows how far it is, and never shows the end early", () => {
    const progress = { ...(started().run?.progress ?? fail()), daysTotal: 10, daysDone: 2 };
    expect(fraction(progress)).toBeCloseTo(0.2);
    expect(fraction({ ...progress, rows: 50, expectedRows: 100 })).toBeCloseTo(0.5);
    expect(fraction({ ...progress, rows: 300, expectedRows: 100 })).toBeCloseTo(0.99);
    expect(fraction({ ...progress, daysDone: 10 })).toBe(1);
    expect(fraction({ ...progress, daysTotal: 0 })).toBeNull();
  });
});

describe("going on by itself", () => {
  const ended = (answer = makePartial(["2025-01-31"], { failure: unreachable }), resumed = 0) =>
    runReducer(started(resumed), {
      type: "ended",
      id: 1,
      outcome: "finished",
      view: view(answer),
      failure: null,
    });

  it("goes on when the source is back", () => {
    const state = ended();
    expect(activity(state, offline)).toBe("paused");
    expect(shouldResume(state, "one", offline, online)).toBe(true);
    expect(activity(state, online)).toBe("idle");
  });

  it("goes on where every day is held and some are due", () => {
    const due = makeAnswer({ answer: "offline", days: { ...makeAnswer().days, open: ["2025-01-31"] } });
    expect(shouldResume(ended(due), "one", offline, online)).toBe(true);
    const cut = makeAnswer({ failure: unreachable });
    expect(shouldResume(ended(cut), "one", offline, online)).toBe(false);
    const run = started().run ?? fail();
    const refreshing = { ...started(), run: { ...run, mode: "refresh" as const } };
    const end = { type: "ended", id: 1, outcome: "finished", view: view(cut), failure: null } as const;
    expect(shouldResume(runReducer(refreshing, end), "one", offline, online)).toBe(true);
  });

  it("does not when nothing came back, nothing is missing, or the trader cancelled", () => {
    expect(shouldResume(ended(), "one", online, online)).toBe(false);
    expect(shouldResume(ended(), "one", offline, offline)).toBe(false);
    expect(shouldResume(ended(makeAnswer()), "one", offline, online)).toBe(false);
    const cancelled = runReducer(started(), {
      type: "ended",
      id: 1,
      outcome: "cancelled",
      view: view(makePartial(["2025-01-31"])),
      failure: null,
    });
    expect(shouldResume(cancelled, "one", offline, online)).toBe(false);
  });

  it("does not go on for ever", () => {
    expect(shouldResume(ended(undefined, MAX_RESUMES), "one", offline, online)).toBe(false);
  });

  it("does not at another source, and is paused no more once it has used up its turns", () => {
    expect(shouldResume(ended(), "two", offline, online)).toBe(false);
    expect(activity(ended(undefined, MAX_RESUMES), offline)).toBe("idle");
  });

  it("does not when the trader has opened something else since", () => {
    const state = runReducer(ended(), { type: "opened", view: view() });
    expect(shouldResume(state, "one", offline, online)).toBe(false);
  });
});

function fail(): never {
  throw new Error("there is no run");
}

it("knows a cancelled run by the event or by the answer, whichever is there", () => {
  const cancelled = makeFailure("cancelled", "Cancelled.");
  expect(outcomeOf(makeAnswer(), false)).toBe("finished");
  expect(outcomeOf(makeAnswer(), true)).toBe("cancelled");
  expect(outcomeOf(makePartial(["2025-01-31"], { failure: cancelled }), false)).toBe("cancelled");
  expect(outcomeOf(makePartial(["2025-01-31"], { failure: unreachable }), false)).toBe("finished");
});

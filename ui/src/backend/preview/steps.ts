import type { SourceTest, StepResult, TestEvent, TestStep } from "../types";
import { wait } from "./wait";

const STEPS: [TestStep, string, string][] = [
  ["resolve", "Find the hosts", "db1.desk.example is 192.0.2.10."],
  ["reach", "Reach a server", "db1.desk.example:27017 answers."],
  ["tls", "Encrypt the connection", "TLS 1.3; the certificate is valid until 2027-03-01."],
  ["sign_in", "Sign in", "The user is desk."],
  ["read", "Read the collection", "The user may read it."],
  ["documents", "Look at documents", "300 documents have a trade id and a time."],
  ["kind", "Look at the server", "MongoDB 8.0.4, a replica set."],
  ["indexes", "Look for indexes", "No index begins with year, so each fetch reads the whole collection."],
];

/** A test that takes a while. Without a server, it fails at the second step. */
export async function runSteps(
  isOnline: boolean,
  unreachable: SourceTest["failure"],
  isCancelled: () => boolean,
  onEvent: (event: TestEvent) => void,
): Promise<SourceTest> {
  const steps: StepResult[] = [];
  for (const [at, [step, title, detail]] of STEPS.entries()) {
    const isSkipped = !isOnline && at > 1;
    if (!isSkipped) {
      onEvent({ event: "began", step, title });
      await wait(350);
    }
    if (isCancelled()) return { steps, failure: cancelled, report: "" };
    const isFailed = !isOnline && at === 1;
    const outcome = isSkipped ? "skipped" : isFailed ? "failed" : step === "indexes" ? "warned" : "passed";
    const result: StepResult = {
      step,
      title,
      outcome,
      detail: isFailed ? "No server answers." : isSkipped ? "" : detail,
      fix: outcome === "warned" ? "db.messages.createIndex({ year: 1, day_of_year: 1 })" : null,
      elapsed_ms: isSkipped ? 0 : 35 + at * 12,
    };
    steps.push(result);
    onEvent({ event: "ended", result });
  }
  const failure = isOnline ? null : unreachable;
  return { steps, failure, report: steps.map(({ title, detail }) => `${title}: ${detail}`).join("\n") };
}

const cancelled: SourceTest["failure"] = {
  code: "cancelled",
  message: "It was cancelled.",
  next: "",
  cause: null,
  target: null,
};

// Problems of the window itself: what nothing else catches goes to the log.

import type { Backend } from "../backend";

/** An error as the log has it. Of a failure just the code: its sentence may quote what was typed. */
export function problemText(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}\n${error.stack ?? ""}`;
  if (typeof error === "object" && error !== null && "code" in error) return `failure ${String(error.code)}`;
  return String(error);
}

/** Logs what nothing else catches. */
export function logProblems(backend: Backend): void {
  window.addEventListener("error", ({ error }: { error: unknown }) => {
    // The browser's own notices about layout have none.
    if (error !== null && error !== undefined) void backend.logProblem(problemText(error));
  });
  window.addEventListener("unhandledrejection", ({ reason }: { reason: unknown }) => {
    void backend.logProblem(`unhandled: ${problemText(reason)}`);
  });
}

// The memory limit as it is typed, in MB.

const MB = 1024 * 1024;

/** "768": bytes in whole MB. */
export function megabytes(bytes: number): string {
  return String(Math.round(bytes / MB));
}

/** The bytes of what was typed; null for the default. Undefined if it is no number at all. */
export function readMemory(text: string): number | null | undefined {
  const typed = text.trim().replace(/\s*MB$/i, "");
  if (typed === "") return null;
  const number = Number(typed);
  return Number.isFinite(number) ? Math.round(number * MB) : undefined;
}

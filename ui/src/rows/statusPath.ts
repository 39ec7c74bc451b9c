/** The path of the status that a mapping file names; null if it names none. */
export function statusPath(mapping: string): string | null {
  try {
    const file: unknown = JSON.parse(mapping);
    const status = typeof file === "object" && file !== null && "status" in file ? file.status : null;
    return typeof status === "string" ? status : null;
  } catch {
    // A blank text means the defaults, which have no status.
    return null;
  }
}

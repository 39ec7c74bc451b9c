interface State {
  /** Rows are still arriving. */
  isLive: boolean;
  isWriting: boolean;
  hasShapes: boolean;
  /** The rows are known under their filters. */
  isNarrowed: boolean;
}

/** Why the rows of a tab cannot be exported now; null if they can. */
export function exportBlocked({ isLive, isWriting, hasShapes, isNarrowed }: State): string | null {
  if (isLive) return "Rows are still arriving.";
  if (isWriting) return "Another export is running.";
  if (!hasShapes) return "There are no rows yet.";
  return isNarrowed ? null : "The rows are being filtered.";
}

// Exports of the preview: they write nothing, but take their time and report on it.

import type { Exported, ExportOptions, ExportProgress } from "../types";
import type { Backend } from "..";
import { wait } from "./wait";

/** Imitates an export: its progress and its result. */
export async function exportOf(
  [name, rows, bytes]: [name: string, rows: number, bytes: number],
  options: ExportOptions,
  complete: boolean,
  onProgress: (progress: ExportProgress) => void,
): Promise<Exported> {
  const steps = 10;
  for (let step = 1; step <= steps; step += 1) {
    await wait(100);
    onProgress({ bytes: (step * bytes) / steps, written: Math.round((rows * step) / steps), rows });
  }
  const path = `~/${name} 2026-11.${options.format}`;
  return {
    path,
    format: options.format,
    rows,
    bytes,
    complete,
    cells_as_text: 0,
    cut_texts: 0,
    manifest: options.manifest ? `${path}.manifest.json` : null,
    note: null,
  };
}

type Calls = Pick<Backend, "exportRows" | "exportGroups" | "cancelExport">;

export function exportCalls(isComplete: () => boolean): Calls {
  return {
    exportRows: (_id, _key, _rows, options, onProgress) =>
      exportOf(["Brent", 66_000, 24_000_000], options, isComplete(), onProgress),
    exportGroups: (_id, _key, _rows, _groups, options, onProgress) =>
      exportOf(["Brent groups", 22, 640], options, isComplete(), onProgress),
    cancelExport: () => Promise.resolve(),
  };
}

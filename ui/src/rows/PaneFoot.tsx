import type { ReactNode } from "react";

import { count, plural } from "../controls/format";
import { keyText, pairText } from "../controls/keys";
import { type Selected, selectionText } from "./grid/selection";

const OPEN = `${keyText("rows", "open")}: show the document`;

/** The most useful first: hints that do not fit are dropped from the end, never cut. */
const HINTS = [
  `${keyText("rows", "copy")}: copy`,
  "Shift+arrows or Shift+click: select",
  `${pairText("rows", "sort_up", "sort_down")}: sort`,
  `${pairText("rows", "narrower", "wider")}: column width`,
  `${pairText("rows", "move_left", "move_right")}: move column`,
  `${pairText("rows", "then_sort_up", "then_sort_down")}: sort by a further column`,
  `${keyText("rows", "copy_with_heading")}: copy with headings`,
];

interface Props {
  /** The active row; null if there is none. */
  position: number | null;
  length: number;
  selected: Selected;
  announcement: string;
  /** The rows are documents, which can be shown. */
  documents?: boolean;
  /** What the selection adds up to. */
  children?: ReactNode;
}

/** The line below the rows. */
export function PaneFoot({ position, length, selected, announcement, documents = true, children }: Props) {
  return (
    <footer className="grid-foot faint">
      <span className="num" data-testid="grid-position">
        {position === null ? plural(length, "row") : `row ${count(position + 1)} of ${count(length)}`}
      </span>
      <span role="status" data-testid="grid-selection">
        {selectionText(selected)}
      </span>
      {children}
      <span role="status" data-testid="grid-announcement">
        {announcement}
      </span>
      <span className="grid-hints">
        {[...(documents ? [OPEN] : []), ...HINTS].map((hint) => (
          <span key={hint}>{hint}</span>
        ))}
      </span>
    </footer>
  );
}

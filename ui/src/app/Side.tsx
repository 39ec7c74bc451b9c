import type { ReactNode, RefObject } from "react";

import { Splitter } from "../controls/Splitter";
import type { PanelSize } from "../controls/usePanelSize";

interface Props {
  host: RefObject<HTMLElement | null>;
  size: PanelSize;
  isOpen: boolean;
  children: ReactNode;
}

/** The place of the side panel. It is hidden rather than removed, so that nothing typed is lost. */
export function Side({ host, size, isOpen, children }: Props) {
  return (
    <aside
      ref={host}
      className="side"
      aria-label="Query and cached queries"
      data-region="side"
      hidden={!isOpen}
    >
      {children}
      <Splitter
        label="Width of the side panel"
        side="right"
        size={size.pixels}
        least={size.least}
        most={size.most}
        resize={size.resize}
        reset={size.reset}
        testId="side-edge"
      />
    </aside>
  );
}

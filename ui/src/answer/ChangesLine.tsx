import { useState } from "react";
import { Button } from "react-aria-components";

import type { Changes } from "../backend";
import { Icon } from "../controls/icons";
import { changesText, total } from "./changes";
import { ChangesDialog } from "./ChangesDialog";

interface Props {
  changes: Changes;
  /** Every day of the answer was compared. */
  whole: boolean;
  /** The query in words: its filters and days. */
  title: string;
}

/** What a refresh or a verification found, with a button that opens the list. */
export function ChangesLine({ changes, whole, title }: Props) {
  const [open, setOpen] = useState(false);
  const found = total(changes) > 0;
  return (
    <div className="changes-line" data-found={found || undefined} data-testid="changes-line">
      <Icon name={found ? "differ" : "check"} size={12} />
      <span className="num" role="status" data-testid="changes-summary">
        {found && <strong>Changes at the source:</strong>} {changesText(changes, whole)}
      </span>
      {changes.messages.length > 0 && (
        <Button className="button small" onPress={() => setOpen(true)} data-testid="changes-button">
          Show changes
        </Button>
      )}
      {open && <ChangesDialog changes={changes} whole={whole} title={title} close={() => setOpen(false)} />}
    </div>
  );
}

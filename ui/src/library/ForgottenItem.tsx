import { Button } from "react-aria-components";

import type { CachedQuery } from "../backend";
import { bytes, plural } from "../controls/format";

interface Props {
  query: CachedQuery;
  name: string;
  undo: () => void;
}

/** What goes with a query that is being forgotten. */
function goesText({ failure, input_rows, downstream_rows, days, bytes: size, pinned }: CachedQuery): string {
  const what =
    failure === null
      ? `${plural(input_rows, "trade")} and ${plural(downstream_rows, "message")} (${plural(days, "day")})`
      : `the whole file (${bytes(size)})`;
  const pin = pinned ? "This query is pinned. " : "";
  return `This deletes ${what} from this computer. ${pin}MongoDB is not affected.`;
}

/** In place of a query that is forgotten, as long as that can be undone. */
export function ForgottenItem({ query, name, undo }: Props) {
  return (
    <li className="cached-item cached-forgotten" data-testid="cached-forgotten">
      <div role="status">
        <strong>Forgotten:</strong> {name}
        <p className="faint">{goesText(query)}</p>
      </div>
      <Button
        className="button small"
        aria-label={`Undo forgetting ${name}`}
        onPress={undo}
        autoFocus
        data-testid="cached-undo"
      >
        Undo
      </Button>
    </li>
  );
}

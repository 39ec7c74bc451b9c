import { Button, Tooltip, TooltipTrigger } from "react-aria-components";

import type { Role, Sort, ViewShape } from "../backend";
import { Icon } from "../controls/icons";
import { nameIn } from "./grid/columns";
import { naturalOrder, orderWord, sortedText } from "./grid/order";

interface Props {
  role: Role;
  shape: ViewShape;
  sorts: readonly Sort[];
  setSorts: (sorts: Sort[]) => void;
}

/** The order of the rows in words, visible even if the sorted columns have scrolled out of sight. */
export function SortMark({ role, shape, sorts, setSorts }: Props) {
  const [first, ...rest] = sorts;
  if (first === undefined) {
    return (
      <span className="sort-mark faint" data-testid="sort-state">
        {naturalOrder(role, shape)}
      </span>
    );
  }
  const description = sortedText(shape.columns, sorts);
  const names = sorts.map(
    ({ path, descending }) => `${descending ? "▼" : "▲"} ${nameIn(shape.columns, path)}`,
  );
  const column = shape.columns.find(({ path }) => path === first.path);
  return (
    <TooltipTrigger delay={600}>
      <Button
        className="button quiet small sort-mark"
        aria-label={`${description}. Remove the sort`}
        onPress={() => setSorts([])}
        data-testid="sort-state"
      >
        <span className="sort-words">
          <span className="sort-path">{names.join(", ")}</span>
          {/* Several directions would not fit; the arrows show them. */}
          {rest.length === 0 && <span className="faint">{orderWord(column, first.descending)}</span>}
        </span>
        <Icon name="close" size={10} />
      </Button>
      <Tooltip className="tooltip" offset={6}>
        {description}; press to remove the sort
      </Tooltip>
    </TooltipTrigger>
  );
}

import { Button, Tooltip, TooltipTrigger } from "react-aria-components";

import type { Role, Sort, ViewShape } from "../backend";
import { Icon } from "../controls/icons";
import { naturalOrder, orderWord, sortedColumn } from "./grid/order";

interface Props {
  role: Role;
  shape: ViewShape;
  sort: Sort | null;
  setSort: (sort: Sort | null) => void;
}

/** The order of the rows in words, visible even if the sorted column has scrolled out of sight. */
export function SortMark({ role, shape, sort, setSort }: Props) {
  if (sort === null) {
    return (
      <span className="sort-mark faint" data-testid="sort-state">
        {naturalOrder(role, shape)}
      </span>
    );
  }
  const way = orderWord(sortedColumn(shape.columns, sort), sort.descending);
  const description = `Sorted by ${sort.path}, ${way}`;
  return (
    <TooltipTrigger delay={600}>
      <Button
        className="button quiet small sort-mark"
        aria-label={`${description}. Remove the sort`}
        onPress={() => setSort(null)}
        data-testid="sort-state"
      >
        <span className="sort-words">
          <span className="sort-path">
            {sort.descending ? "▼" : "▲"} {sort.path}
          </span>
          <span className="faint">{way}</span>
        </span>
        <Icon name="close" size={10} />
      </Button>
      <Tooltip className="tooltip" offset={6}>
        {description}; press to remove the sort
      </Tooltip>
    </TooltipTrigger>
  );
}

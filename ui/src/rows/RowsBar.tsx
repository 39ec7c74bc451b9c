import type { RowQuery, ViewKey } from "../backend";
import { FindBar } from "./FindBar";
import { GoToRow } from "./GoToRow";

/** The bar over the rows: which, and how often it was asked for, since its field then takes the focus. */
export interface Bar {
  kind: "find" | "go_to_row";
  asks: number;
}

interface Props {
  bar: Bar;
  viewKey: ViewKey;
  rows: RowQuery;
  length: number;
  generation: number;
  here: () => number | null;
  goTo: (row: number) => void;
  outdated: () => void;
  close: () => void;
}

/** Finds a text in the rows, or goes to one by its number. */
export function RowsBar({ bar: { kind, asks }, ...props }: Props) {
  const { length, goTo, close } = props;
  if (kind === "find") return <FindBar {...props} asks={asks} />;
  return <GoToRow length={length} goTo={goTo} asks={asks} close={close} />;
}

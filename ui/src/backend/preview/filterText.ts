// One condition of a query in words, as the engine writes it.

import type { FilterInput } from "../types";

/** A condition in words. `list` is its list of values, which may be abbreviated. */
export function filterText({ field, operator, values }: FilterInput, list: string): string {
  const [low = "", high = ""] = values.map((value) => value.trim());
  switch (operator) {
    case "any_of":
      return `${field}: ${list}`;
    case "all_of":
      return `${field} has all of ${list}`;
    case "none_of":
      return `${field} is not ${list}`;
    case "starts_with":
      return `${field} starts with ${low}`;
    case "at_least":
      return `${field} at least ${low}`;
    case "at_most":
      return `${field} at most ${low}`;
    case "between":
      if (high === "") return `${field} at least ${low}`;
      return low === "" ? `${field} at most ${high}` : `${field} from ${low} to ${high}`;
    case "exists":
      return `${field} exists`;
    case "missing":
      return `${field} is missing`;
  }
}

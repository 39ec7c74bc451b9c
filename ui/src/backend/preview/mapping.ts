import type { DateForm, Failure, MappingChange, MappingPart, MappingView, ValueType } from "../types";

type Value = string | null | { path?: string; form?: DateForm; type?: ValueType; label?: string };
type File = Record<string, unknown> & { filters?: Record<string, Value> };

/** The parts of a mapping apart from its filters, each with what it is if the file does not say. */
const PARTS: readonly { key: string; title: string; usual: string | null; isTime?: true }[] = [
  { key: "trade_id", title: "Trade id", usual: "trade_id" },
  { key: "timestamp", title: "Time of the trade", usual: "timestamp", isTime: true },
  { key: "business_date", title: "Business date", usual: null, isTime: true },
  { key: "year", title: "Year", usual: "year" },
  { key: "day_of_year", title: "Day of the year", usual: "day_of_year" },
  { key: "day_zone", title: "Time zone of the days", usual: "UTC" },
  { key: "changed_at", title: "Time of the last change", usual: null },
];
const FILTERS = ["product", "cell", "receiver", "attribute", "relatedDispatcher", "relatedAttributes"];

const pathOf = (value: Value): string | null =>
  typeof value === "object" && value !== null ? (value.path ?? null) : value;

function partsOf(file: File): MappingPart[] {
  const parts = PARTS.map(({ key, title, usual, isTime }): MappingPart => {
    const given = file[key] as Value | undefined;
    const form = typeof given === "object" && given !== null ? given.form : undefined;
    return {
      key,
      title,
      value: given === undefined ? usual : pathOf(given),
      form: isTime === true ? (form ?? "date") : null,
      value_type: null,
      label: null,
      is_given: given !== undefined,
    };
  });
  const filters = file.filters ?? {};
  const names = [...new Set([...FILTERS, ...Object.keys(filters)])];
  return [
    ...parts,
    ...names.map((name): MappingPart => {
      const given = filters[name];
      const more = typeof given === "object" && given !== null ? given : {};
      return {
        key: `filters.${name}`,
        title: `Filter: ${name}`,
        value: given === undefined ? name : pathOf(given),
        form: null,
        value_type: more.type ?? "text",
        label: more.label ?? null,
        is_given: given !== undefined,
      };
    }),
  ];
}

function apply(file: File, change: MappingChange): void {
  if (change.change === "none") return;
  if (change.change === "add_filter") {
    const name = change.path.split(".").at(-1) ?? change.path;
    file.filters = { ...file.filters, [name]: { path: change.path, type: change.value_type } };
    return;
  }
  const [group, name] = change.key.split(".");
  const holder = (group === "filters" ? (file.filters ??= {}) : file) as Record<string, Value>;
  const key = name ?? change.key;
  const held = holder[key] ?? null;
  const more = typeof held === "object" && held !== null ? held : { path: held ?? key };
  if (change.change === "value") {
    holder[key] =
      typeof held === "object" && held !== null ? { ...held, path: change.value ?? "" } : change.value;
    if (change.value === null) holder[key] = null;
  } else if (change.change === "form") holder[key] = { ...more, form: change.form };
  else holder[key] = { ...more, label: change.label };
}

/** Changes a mapping roughly as the engine does. */
export function changeMapping(text: string, change: MappingChange): MappingView {
  try {
    const file = (text.trim() === "" ? { version: 2 } : JSON.parse(text)) as File;
    apply(file, change);
    const changed = change.change === "none" ? text : JSON.stringify(file, null, 2);
    return { text: changed, parts: partsOf(file), problem: null };
  } catch (error) {
    const problem: Failure = {
      code: "bad_mapping",
      message: "The mapping is no JSON document.",
      next: "Correct the mapping.",
      cause: String(error),
      target: { field: "mapping" },
    };
    return { text, parts: [], problem };
  }
}

// What of a form stays when the source changes.

import { expect, it } from "vitest";

import type { FilterField, QueryInput } from "../backend";
import { fromQuery, toQuery } from "./filters";
import { sourceFormsReducer, type SourceForms } from "./useForm";

const field = (name: string, path = name): FilterField => ({ name, path, label: null, value_type: "text" });
const desk = [field("product", "instrument"), field("cell", "desk")];
const condition = (name: string, value: string) => ({
  field: name,
  operator: "any_of" as const,
  values: [value],
});
const query: QueryInput = {
  from: "2025-01-01",
  to: "2025-01-31",
  filters: [condition("product", "Gas"), condition("cell", "A")],
  advanced: "{n: 1}",
};

function begin(source: string): SourceForms {
  return { form: fromQuery(query, desk), source, fields: desk, left: {} };
}

function moved(forms: SourceForms, source: string, fields: FilterField[]): SourceForms {
  return sourceFormsReducer(forms, { type: "source", source, fields });
}

it("takes along the conditions on fields that are the same in a different source", () => {
  expect(toQuery(moved(begin("1"), "2", [...desk]).form)).toEqual(query);
  const other = moved(begin("1"), "2", [field("product", "instrument"), field("cell", "book")]);
  expect(toQuery(other.form)).toEqual({ ...query, filters: [query.filters[0]], advanced: "" });
  expect(other.form.rows.map((row) => row.field)).toEqual(["product", "cell"]);
  const none = moved(begin("1"), "2", [field("symbol")]);
  expect(none.form.rows.map((row) => row.field)).toEqual(["symbol"]);
});

it("shows what was left in a source, with the days of now", () => {
  const away = moved(begin("1"), "2", [field("symbol")]);
  const changed = sourceFormsReducer(away, { type: "range", from: "2025-03-01", to: "2025-03-02" });
  const back = moved(changed, "1", desk);
  expect(toQuery(back.form)).toEqual({ ...query, from: "2025-03-01", to: "2025-03-02" });
});

it("loses nothing if the mapping of the source changes, or if there was no source", () => {
  const corrected = [field("product", "product.name"), field("cell", "desk")];
  expect(toQuery(moved(begin("1"), "1", corrected).form)).toEqual(query);
  expect(toQuery(moved(begin(""), "1", corrected).form)).toEqual(query);
});

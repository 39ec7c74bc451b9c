import { describe, expect, it } from "vitest";

import type { FilterField, QueryInput } from "../backend";
import { commitDrafts, fieldName, fromQuery, operatorsFor, refit, sameQuery, toQuery } from "./filters";

const fields: FilterField[] = [
  { name: "product", path: "product", label: null, value_type: "text" },
  { name: "quantity", path: "q", label: null, value_type: "decimal" },
];
const query = (filters: QueryInput["filters"]): QueryInput => ({
  from: "2025-01-01",
  to: "2025-01-31",
  filters,
  advanced: "",
});

it("knows the same query in whatever order its filters stand", () => {
  const product = { field: "product", operator: "any_of" as const, values: ["A", "B"] };
  const cell = { field: "cell", operator: "any_of" as const, values: ["x"] };
  expect(sameQuery(query([product, cell]), query([cell, product]))).toBe(true);
  expect(sameQuery(query([product, cell]), query([cell]))).toBe(false);
  expect(sameQuery(query([product]), { ...query([product]), to: "2025-02-01" })).toBe(false);
  expect(sameQuery(query([product]), { ...query([product]), advanced: "{}" })).toBe(false);
});

describe("the form", () => {
  it("gives back the query that it was filled with", () => {
    const given = query([
      { field: "product", operator: "any_of", values: ["A", "B"] },
      { field: "quantity", operator: "between", values: ["1", ""] },
    ]);
    expect(toQuery(fromQuery(given, fields))).toEqual(given);
  });

  it("keeps a second condition on a field, and a field it does not know", () => {
    const given = query([
      { field: "product", operator: "any_of", values: ["A"] },
      { field: "product", operator: "starts_with", values: ["A"] },
      { field: "other", operator: "exists", values: [] },
    ]);
    expect(toQuery(fromQuery(given, fields)).filters).toEqual(given.filters);
  });

  it("leaves out what does not narrow", () => {
    const form = fromQuery(query([]), fields);
    expect(toQuery(form).filters).toEqual([]);
  });

  it("counts text that is still being typed once it is committed", () => {
    const form = fromQuery(query([]), fields);
    const typing = {
      ...form,
      rows: form.rows.map((row) => (row.field === "product" ? { ...row, draft: " Brent " } : row)),
    };
    expect(toQuery(typing).filters).toEqual([]);
    expect(toQuery(commitDrafts(typing)).filters).toEqual([
      { field: "product", operator: "any_of", values: ["Brent"] },
    ]);
  });

  it("keeps the values of a list while another operator is tried", () => {
    const form = fromQuery(query([{ field: "product", operator: "any_of", values: ["A"] }]), fields);
    const tried = { ...form, rows: form.rows.map((row) => ({ ...row, operator: "exists" as const })) };
    const back = { ...tried, rows: tried.rows.map((row) => ({ ...row, operator: "any_of" as const })) };
    expect(toQuery(back)).toEqual(toQuery(form));
  });

  it("keeps what was typed when the mapping changes", () => {
    const form = fromQuery(query([{ field: "product", operator: "any_of", values: ["A"] }]), fields);
    const fitted = refit(form, [{ name: "cell", path: "cell", label: null, value_type: "text" }]);
    expect(fitted.rows.map((row) => row.field)).toEqual(["cell", "product"]);
    expect(toQuery(fitted)).toEqual(toQuery(form));
  });
});

it("offers ranges for ordered types only", () => {
  expect(operatorsFor("date")).toContain("between");
  expect(operatorsFor("text")).not.toContain("between");
  expect(operatorsFor("text")).toContain("starts_with");
});

it("calls a field by its label if it has one", () => {
  const field = { name: "cpty", path: "cp.name", value_type: "text" as const };
  expect(fieldName({ ...field, label: "Counterparty" })).toBe("Counterparty");
  expect(fieldName({ ...field, label: null })).toBe("cpty");
});

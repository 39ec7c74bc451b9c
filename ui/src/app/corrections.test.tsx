// Failures beside the field that has to be corrected.

import { screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeFailure, makeQuery } from "../test/made";
import { openApp } from "./openApp";

it("marks the row of a filter that has to be corrected, and no other", async () => {
  const value_type = "integer" as const;
  const fields = ["lots", "version"].map((name) => ({ name, path: name, label: null, value_type }));
  const filters = fields.map(({ name }) => ({ field: name, operator: "at_least" as const, values: ["x"] }));
  const fake = makeFake({ fields, form: makeQuery({ filters, advanced: "{}" }) });
  vi.mocked(fake.backend.plan).mockRejectedValue(
    makeFailure("bad_filter", "lots: not a number.", { field: "filter", name: "lots" }),
  );
  await openApp(fake);
  expect(await screen.findByTestId("filter-error")).toHaveTextContent("lots: not a number.");
  expect(screen.queryByTestId("advanced-error")).not.toBeInTheDocument();
  const input = screen.getByTestId("filter-lots-input");
  expect(input).toHaveAttribute("aria-invalid", "true");
  expect(input).toHaveAccessibleDescription(/lots: not a number/);
  expect(screen.getByTestId("filter-lots")).toHaveAttribute("data-invalid");
  expect(screen.getByTestId("filter-version-input")).not.toHaveAttribute("aria-invalid");
  expect(screen.getByTestId("filter-version")).not.toHaveAttribute("data-invalid");
});

it("marks a list of values that has to be corrected", async () => {
  const filters = [{ field: "product", operator: "any_of" as const, values: ["x"] }];
  const fake = makeFake({ form: makeQuery({ filters }) });
  vi.mocked(fake.backend.plan).mockRejectedValue(
    makeFailure("bad_filter", "product: too long.", { field: "filter", name: "product" }),
  );
  await openApp(fake);
  await screen.findByTestId("filter-error");
  const input = screen.getByTestId("filter-product-input");
  expect(input).toHaveAttribute("aria-invalid", "true");
  expect(input).toHaveAccessibleDescription(/product: too long/);
});

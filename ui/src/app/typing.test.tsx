// Typing into the form, and undoing it with Escape.

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { makeFake } from "../test/fakeBackend";
import { makeQuery } from "../test/made";
import { openApp } from "./openApp";

it("takes back what was typed into a field of one value on Escape, and lets a run go on", async () => {
  const filters = [{ field: "product", operator: "starts_with" as const, values: ["Gas"] }];
  const fake = makeFake({ form: makeQuery({ filters }) });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  const input = screen.getByTestId("filter-product-input");
  await user.type(input, " TTF{Escape}");
  expect(input).toHaveValue("Gas");
  await user.clear(input);
  await user.keyboard("{Escape}");
  expect(input).toHaveValue("Gas");
  expect(input).toHaveFocus();
  expect(fake.backend.cancel).not.toHaveBeenCalled();
  // What Enter has accepted stays, and there is nothing left to undo.
  await user.type(input, " NBP{Control>}{Enter}{/Control}{Escape}");
  expect(input).toHaveValue("Gas NBP");
  expect(fake.backend.cancel).toHaveBeenCalledOnce();
});

it("takes back either end of a range on its own", async () => {
  const fields = [{ name: "price", path: "price", label: null, value_type: "number" as const }];
  const filters = [{ field: "price", operator: "between" as const, values: ["1", "2"] }];
  const fake = makeFake({ form: makeQuery({ filters }), fields });
  const user = userEvent.setup();
  await openApp(fake);
  await user.type(screen.getByTestId("filter-price-input"), "0");
  await user.type(screen.getByTestId("filter-price-input-high"), "0{Escape}");
  expect(screen.getByTestId("filter-price-input")).toHaveValue("10");
  expect(screen.getByTestId("filter-price-input-high")).toHaveValue("2");
});

it("clears a value that is being typed on Escape, and lets a run go on", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  await user.type(screen.getByTestId("filter-product-input"), "Ga{Escape}");
  expect(screen.getByTestId("filter-product-input")).toHaveValue("");
  expect(fake.backend.cancel).not.toHaveBeenCalled();
});

it("cancels no run with Escape while an advanced match is typed", async () => {
  const fake = makeFake({ form: makeQuery({ advanced: "{}" }) });
  const user = userEvent.setup();
  await openApp(fake);
  await user.click(screen.getByTestId("fetch-button"));
  await user.type(screen.getByTestId("advanced-input"), " {Escape}");
  expect(screen.getByTestId("advanced-input")).toHaveValue("{} ");
  expect(fake.backend.cancel).not.toHaveBeenCalled();
});

it("makes one value of typed text with an escaped comma, and asks for values that begin with it", async () => {
  const fake = makeFake();
  const user = userEvent.setup();
  await openApp(fake);
  await user.type(screen.getByTestId("filter-product-input"), "Freight\\, dry");
  await waitFor(() => expect(fake.backend.suggest).toHaveBeenLastCalledWith("product", "Freight, dry"));
  await user.click(screen.getByTestId("fetch-button"));
  expect(vi.mocked(fake.backend.fetch).mock.calls[0]?.[1].filters[0]?.values).toEqual(["Freight, dry"]);
});

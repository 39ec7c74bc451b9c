// From a cell of the rows to a filter of the query.

import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { Handlers } from "../rows/grid/contract";
import type { GridHandle } from "../rows/grid/GridView";
import { makeGridHandle } from "../test/gridHandle";
import { makeAnswer, makeDetail, makeSource } from "../test/made";
import { makeRows } from "../test/rowsFake";
import { fetchAnswer, openApp } from "./openApp";

const grid = vi.hoisted((): { props: Drawn | null; value: string | null | undefined } => ({
  props: null,
  value: "",
}));
interface Drawn {
  handlers: Handlers;
  ref: React.RefObject<GridHandle | null>;
}
vi.mock("../rows/grid/GridView", () => ({
  GridView: (props: Drawn) => {
    grid.props = props;
    props.ref.current = makeGridHandle({
      valueAt: () => grid.value,
      perform: (command, { row, path }) => {
        if (path !== null) props.handlers.ask(command as "query_filter", { row, path });
      },
    });
    return <div data-testid="grid" />;
  },
}));

const DOCUMENT =
  '{"_id": {"$oid": "65a1b2c3d4e5f60718293a4b"}, "product": "Gas", "price": {"$numberDecimal": "7.50"}}';

async function openRows(answer = makeAnswer(), fake = makeRows()) {
  vi.mocked(fake.backend.rowDetail).mockResolvedValue(makeDetail({ canonical: DOCUMENT }));
  const user = userEvent.setup();
  await openApp(fake);
  await fetchAnswer(user, fake, answer);
  await waitFor(() => expect(screen.getByTestId("grid")).toBeInTheDocument());
  return { fake, user };
}

const NAME = /^Use as a filter of the query/;
async function useCell(user: ReturnType<typeof userEvent.setup>, path: string, value: string | null) {
  grid.value = value;
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path, row: 3 }));
  await user.click(screen.getByRole("menuitem", { name: NAME }));
}

const planned = (fake: ReturnType<typeof makeRows>) => vi.mocked(fake.backend.plan).mock.lastCall?.[0];

it("fills in the filter of the column, and does not fetch", async () => {
  const { fake, user } = await openRows();
  const fetched = vi.mocked(fake.backend.fetch).mock.calls.length;
  await useCell(user, "product", "Gas");
  expect(await screen.findByTestId("toast")).toHaveTextContent("product: Gas. It has not been fetched yet.");
  expect(vi.mocked(fake.backend.rowDetail).mock.lastCall?.[2]).toBe(3);
  await waitFor(() =>
    expect(planned(fake)?.filters).toEqual([{ field: "product", operator: "any_of", values: ["Gas"] }]),
  );
  expect(screen.getByTestId("answer-differs")).toHaveTextContent("the form has changed");
  expect(vi.mocked(fake.backend.fetch)).toHaveBeenCalledTimes(fetched);
});

it("says which condition it replaces", async () => {
  const { user } = await openRows();
  await user.type(screen.getByTestId("filter-product").querySelector("input")!, "Brent{Enter}");
  await useCell(user, "product", "Gas");
  expect(await screen.findByTestId("toast")).toHaveTextContent("product: Gas, in place of product: Brent");
});

it("puts what no filter is for into the advanced match, with its type", async () => {
  const { fake, user } = await openRows();
  await useCell(user, "price", "7.50");
  expect(await screen.findByTestId("toast")).toHaveTextContent("a condition on price");
  await waitFor(() => expect(planned(fake)?.advanced).toBe('{"price":{"$numberDecimal":"7.50"}}'));
  expect(screen.getByTestId("advanced-input")).toHaveValue('{"price":{"$numberDecimal":"7.50"}}');
});

it("says why a cell cannot be a filter of the query", async () => {
  const { user } = await openRows(makeAnswer({ source: makeSource({ key: "b", name: "old at db2" }) }));
  grid.value = "Gas";
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "product", row: 3 }));
  const item = screen.getByRole("menuitem", { name: NAME });
  expect(item).toHaveAttribute("aria-disabled", "true");
  expect(item).toHaveAccessibleDescription("These rows are cached from old at db2");
  await user.keyboard("{Escape}");
});

it("leaves fields of messages alone, which the query does not filter by", async () => {
  const { user } = await openRows();
  await user.click(screen.getByTestId("tab-downstream"));
  grid.value = "7.50";
  act(() => grid.props?.handlers.menu({ x: 5, y: 5, path: "price", row: 3 }));
  expect(screen.getByRole("menuitem", { name: NAME })).toHaveAttribute("aria-disabled", "true");
  await user.keyboard("{Escape}");
  await useCell(user, "product", "Gas");
  expect(await screen.findByTestId("toast")).toHaveTextContent("The query now has product: Gas");
});

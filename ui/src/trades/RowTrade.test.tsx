// The trade of a row, in the row details.

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { BackendContext } from "../backend/context";
import { rowQuery } from "../rows/filters";
import { makeFake } from "../test/fakeBackend";
import { makeFailure } from "../test/made";
import { makeTrade } from "../test/madeTrades";
import { RowTrade } from "./RowTrade";

function show(fake = makeFake()) {
  const viewKey = { signature: "5".repeat(32), from: "2025-01-31", to: "2025-01-31" };
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <BackendContext value={fake.backend}>
        <RowTrade viewKey={viewKey} rows={rowQuery("downstream", [], [])} position={4} stamp="" zone="UTC" />
      </BackendContext>
    </QueryClientProvider>,
  );
}

it("shows the trade of a message, at the message", async () => {
  const fake = makeFake();
  const trades = [makeTrade({ here: 2 })];
  vi.mocked(fake.backend.rowTrades).mockResolvedValue({ generation: 1, trades });
  show(fake);
  expect(await screen.findByTestId("trade-text")).toHaveTextContent('{"_id": 3}');
  expect(vi.mocked(fake.backend.rowTrades).mock.lastCall?.[2]).toBe(4);
});

it("says that a row has no trade, or why the trade cannot be read", async () => {
  const fake = makeFake();
  vi.mocked(fake.backend.rowTrades).mockResolvedValue({ generation: 1, trades: [] });
  show(fake);
  expect(await screen.findByText("This row has no trade id.")).toBeVisible();
  const failing = makeFake();
  vi.mocked(failing.backend.rowTrades).mockRejectedValue(makeFailure("cache_busy", "In use."));
  show(failing);
  expect(await screen.findByText("In use.")).toBeVisible();
});

import { expect, it } from "vitest";

import { activeDays, joined, spansText, within } from "./days";

const span = (from: string, to = from) => ({ from: `2025-01-${from}`, to: `2025-01-${to}` });

it("joins days that follow each other or overlap", () => {
  expect(joined([span("09"), span("03"), span("04", "05")])).toEqual([span("03", "05"), span("09")]);
  expect(joined([span("03", "09"), span("05", "06")])).toEqual([span("03", "09")]);
  expect(
    joined([
      { from: "2024-02-29", to: "2024-02-29" },
      { from: "2024-03-01", to: "2024-03-01" },
    ]),
  ).toEqual([{ from: "2024-02-29", to: "2024-03-01" }]);
});

it("narrows the rows to the days that they have, if it is on", () => {
  const spans = [span("03", "05"), span("20")];
  expect(activeDays({ spans }, span("04", "10"))).toEqual([span("04", "05")]);
  expect(activeDays({ spans, off: true }, span("04", "10"))).toBeNull();
  expect(activeDays({ spans }, span("10", "15"))).toBeNull();
  expect(activeDays(null, span("04", "10"))).toBeNull();
  expect(within(spans, span("05", "31"))).toEqual([span("05"), span("20")]);
});

it("names the first days and counts the others", () => {
  expect(spansText([span("03", "05")])).toBe("2025-01-03 to 2025-01-05");
  expect(spansText([span("03"), span("05"), span("07"), span("09")])).toBe(
    "2025-01-03, 2025-01-05 and 2 more",
  );
});

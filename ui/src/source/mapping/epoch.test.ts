import { expect, it } from "vitest";

import { withTime } from "./epoch";

it.each([
  ["1738315800", "epoch_s", "1738315800 (2025-01-31 09:30:00 UTC)"],
  ["1738315800.75", "epoch_s", "1738315800.75 (2025-01-31 09:30:00 UTC)"],
  ["1738315800999", "epoch_ms", "1738315800999 (2025-01-31 09:30:00 UTC)"],
  ["1738315800000001", "epoch_us", "1738315800000001 (2025-01-31 09:30:00 UTC)"],
  ["1738315800000000001", "epoch_ns", "1738315800000000001 (2025-01-31 09:30:00 UTC)"],
  [
    '{"$numberDecimal":"1738315800000"}',
    "epoch_ms",
    '{"$numberDecimal":"1738315800000"} (2025-01-31 09:30:00 UTC)',
  ],
  ["-1", "epoch_ms", "-1 (1969-12-31 23:59:59 UTC)"],
  ["-1000", "epoch_ms", "-1000 (1969-12-31 23:59:59 UTC)"],
] as const)("shows %s in %s as a time", (example, form, expected) => {
  expect(withTime(example, form)).toBe(expected);
});

it.each([
  ["n/a", "epoch_ms"],
  ["1.7e12", "epoch_ms"],
  ["99999999999999999999", "epoch_s"],
  ["20250131", "yyyymmdd"],
  ["2025-01-31", "iso_text"],
  ["7", null],
] as const)("leaves %s in %s as it is", (example, form) => {
  expect(withTime(example, form)).toBe(example);
});

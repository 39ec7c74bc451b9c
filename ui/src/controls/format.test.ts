import { describe, expect, it } from "vitest";

import { ago, bytes, count, duration, moment } from "./format";

describe("figures", () => {
  it("are short and steady", () => {
    expect(count(48_211)).toBe("48,211");
    expect(bytes(999)).toBe("999 B");
    expect(bytes(12_340_000)).toBe("12.3 MB");
    expect(duration(840)).toBe("840 ms");
    expect(duration(200_000)).toBe("3 min 20 s");
  });

  it("tell times in the day zone", () => {
    expect(moment("2026-07-01T12:00:00Z", "Europe/London")).toBe("2026-07-01 13:00:00 Europe/London");
    expect(moment("2026-07-01T12:00:00Z", "Not/AZone")).toBe("2026-07-01 12:00:00 UTC");
    const now = Date.parse("2026-07-01T12:00:00Z");
    expect(ago("2026-07-01T11:58:00Z", now)).toBe("2 minutes ago");
    expect(ago("2026-07-01T11:59:58Z", now)).toBe("just now");
    expect(ago("2026-07-01T11:59:15Z", now)).toBe("45 seconds ago");
    expect(ago("2026-07-01T10:59:15Z", now)).toBe("1 hour ago");
    expect(ago("2026-06-30T11:00:00Z", now)).toBe("1 day ago");
    expect(ago("2023-07-02T11:00:00Z", now)).toBe("1,095 days ago");
    expect(ago("2026-07-01T13:00:00Z", now)).toBe("in the future");
  });
});

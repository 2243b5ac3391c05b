import { describe, expect, test } from "bun:test";
import { instant } from "../../../src/core/units.ts";
import { bucketsOf } from "../../../src/gateway/platform/time-range.ts";
import { timeZone } from "../../../src/gateway/platform/time-zone.ts";

const NOW = instant(Date.parse("2026-03-10T12:34:56Z"));
const at = (text: string) => instant(Date.parse(text));
const ask = (query: Partial<Parameters<typeof bucketsOf>[0]>) =>
  bucketsOf({ timezone: "UTC", bound_to_timeframe: "true", ...query }, NOW);
const labels = (query: Partial<Parameters<typeof bucketsOf>[0]>) => ask(query).map(({ label }) => label);

describe("buckets", () => {
  test("of the last 24 hours are whole hours, the present one included", () => {
    const buckets = ask({});
    expect(buckets).toHaveLength(25);
    expect(buckets[0]?.start).toBe(at("2026-03-09T12:00:00Z"));
    expect(buckets.at(-1)?.end).toBe(at("2026-03-10T13:00:00Z"));
  });

  test("grow with the range: minutes, hours, days, weeks, months", () => {
    const second = (start: string) => {
      const [a, b] = ask({ start, end: "2026-03-10" });
      return ((b?.start ?? 0) - (a?.start ?? 0)) / 60_000;
    };
    expect(second("2026-03-09T22:30:00Z")).toBe(1);
    expect(second("2026-03-08T12:00")).toBe(60);
    expect(second("2026-02-01")).toBe(24 * 60);
    expect(second("2025-12-01")).toBe(7 * 24 * 60);
    expect(labels({ start: "2025-01-15", end: "2026-03-10" })[1]).toBe("2025-02-01T00:00:00+00:00");
  });

  test("follow the time zone: a day of 23 hours in spring and one of 25 in autumn", () => {
    const berlin = { timezone: "Europe/Berlin", timeframe: "day" as const };
    const hours = (start: string, end: string) =>
      ask({ ...berlin, start, end }).map((bucket) => (bucket.end - bucket.start) / 3_600_000);
    expect(hours("2026-03-28T12:00Z", "2026-03-30T12:00Z")).toEqual([24, 23, 24]);
    expect(hours("2026-10-24T12:00Z", "2026-10-26T12:00Z")).toEqual([24, 25, 24]);
    expect(labels({ ...berlin, start: "2026-03-28T23:30Z", end: "2026-03-30T00:00Z" })).toEqual([
      "2026-03-29T00:00:00+01:00",
      "2026-03-30T00:00:00+02:00",
    ]);
  });

  test("begin on Mondays where they are weeks, in zones with half hours too", () => {
    expect(labels({ timezone: "Asia/Kolkata", timeframe: "week", start: "2026-03-04", end: "2026-03-10" })).toEqual([
      "2026-03-02T00:00:00+05:30",
      "2026-03-09T00:00:00+05:30",
    ]);
  });

  test("keep to the very range where they are not bound to whole ones", () => {
    const buckets = ask({
      start: "2026-03-10T10:20:00Z",
      end: "2026-03-10T12:10:00Z",
      timeframe: "hour",
      bound_to_timeframe: "false",
    });
    expect(buckets.map(({ start, end }) => (end - start) / 60_000)).toEqual([40, 60, 10]);
  });

  test("an hour that the clock shows twice is two buckets", () => {
    const zone = timeZone("Europe/Berlin");
    const first = zone?.floor(at("2026-10-25T00:30:00Z"), "hour");
    expect(zone?.format(first ?? NOW)).toBe("2026-10-25T02:00:00+02:00");
    expect(zone?.format(zone.next(first ?? NOW, "hour"))).toBe("2026-10-25T02:00:00+01:00");
  });

  test("are never too many, and of known zones only", () => {
    expect(() => ask({ start: "2020-01-01", timeframe: "minute" })).toThrow("timeframe");
    expect(() => ask({ timezone: "Mars/Olympus" })).toThrow("timezone");
  });
});

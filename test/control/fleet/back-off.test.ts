import { expect, test } from "bun:test";
import { backOffAfter, isOfModel } from "../../../src/control/fleet/back-off.ts";
import type { BackOff } from "../../../src/control/fleet/events.ts";
import type { Failure } from "../../../src/core/errors.ts";
import { instant } from "../../../src/core/units.ts";

const fault: Failure = { code: "runner_crashed", message: "it fell over", details: { signal: "SIGSEGV" } };
const kill: Failure = { code: "runner_crashed", message: "it was killed", details: { signal: "SIGKILL" } };
const now = instant(1_000_000);

/** Milliseconds of rest after each of `count` failures in a row. */
function rests(count: number, reason: Failure = fault): number[] {
  let backOff: BackOff | undefined;
  return Array.from({ length: count }, () => {
    backOff = backOffAfter(backOff, { now, reason });
    return backOff.until - now;
  });
}

test("rests double from half a second up to a minute", () => {
  expect(rests(9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test("a thousand failures still rest a minute", () => {
  expect(rests(1000).at(-1)).toBe(60_000);
});

test("kills from outside make it rest two seconds at most", () => {
  expect(rests(6, kill)).toEqual([500, 1000, 2000, 2000, 2000, 2000]);
});

test("the latest reason and the count are kept", () => {
  const first = backOffAfter(undefined, { now, reason: { code: "weights_missing", message: "no file" } });
  expect(backOffAfter(first, { now, reason: fault })).toMatchObject({ failures: 2, reason: fault });
});

test("a cancelled or overlong job is no reason for its model to rest", () => {
  expect(isOfModel({ code: "client_cancelled", message: "" })).toBe(false);
  expect(isOfModel({ code: "run_timeout", message: "" })).toBe(false);
  expect(isOfModel({ code: "runner_hung", message: "" })).toBe(true);
});

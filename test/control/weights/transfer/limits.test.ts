// Limits on downloads: bytes per second, connections, waits. All with a clock of the test's own.
import { describe, expect, test } from "bun:test";
import { createSlots, forEachAtOnce } from "../../../../src/control/slots.ts";
import { createBandwidth } from "../../../../src/control/weights/transfer/bandwidth.ts";
import { askedWait } from "../../../../src/control/weights/transfer/patience.ts";
import type { Timers } from "../../../../src/core/clock.ts";
import { instant } from "../../../../src/core/units.ts";

const signal = new AbortController().signal;

/** Time passes only by waiting. */
function testTime() {
  let now = 0;
  const timers: Timers = {
    after(delay, call) {
      queueMicrotask(() => {
        now += delay;
        call();
      });
      return () => {};
    },
  };
  return { clock: { now: () => instant(now) }, timers, passed: () => now };
}

describe("bandwidth", () => {
  test("ten seconds' worth takes nine, since the first second's is in the bucket", async () => {
    const time = testTime();
    const bandwidth = createBandwidth({ bytesPerSecond: 1000, ...time });
    for (let i = 0; i < 100; i++) await bandwidth.take(100, signal);
    expect(time.passed()).toBe(9000);
  });

  test("a chunk larger than the bucket passes, and is paid for", async () => {
    const time = testTime();
    const bandwidth = createBandwidth({ bytesPerSecond: 1000, ...time });
    await bandwidth.take(5000, signal);
    expect(time.passed()).toBe(4000);
  });

  test("a wait ends with the signal", async () => {
    const bandwidth = createBandwidth({ bytesPerSecond: 1, timers: { after: () => () => {} } });
    const stop = new AbortController();
    const waiting = bandwidth.take(100, stop.signal);
    stop.abort(new Error("enough"));
    expect(await waiting.catch((error: Error) => error.message)).toBe("enough");
  });
});

describe("slots", () => {
  test("never more at once than there are, in order of arrival", async () => {
    const slots = createSlots(2);
    const begun: number[] = [];
    let busy = 0;
    let most = 0;
    const work = async (index: number) => {
      using _slot = await slots.take(signal);
      begun.push(index);
      most = Math.max(most, ++busy);
      await Promise.resolve();
      busy--;
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(work));
    expect(most).toBe(2);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("one who gives up waiting does not take the place of the next", async () => {
    const slots = createSlots(1);
    const first = await slots.take(signal);
    const stop = new AbortController();
    const second = slots.take(stop.signal);
    const third = slots.take(signal);
    stop.abort(new Error("gave up"));
    expect(await second.catch((error: Error) => error.message)).toBe("gave up");
    first[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    (await slots.take(signal))[Symbol.dispose]();
  });
});

test("the first failure stops the others and is the one that is thrown", async () => {
  const started: number[] = [];
  const running = forEachAtOnce([1, 2, 3, 4], { limit: 2, signal }, async (item, stop) => {
    started.push(item);
    if (item === 1) throw new Error("one");
    await new Promise((_, reject) => stop.addEventListener("abort", () => reject(new Error("two"))));
  });
  expect(await running.catch((error: Error) => error.message)).toBe("one");
  expect(started).toEqual([1, 2]);
});

test("a server's wish to wait is read in all its forms", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const asked = (headers: Record<string, string>) => askedWait(new Headers(headers), now);
  expect(asked({ ratelimit: '"api";r=0;t=55', "retry-after": "9" })).toBe(55_000);
  expect(asked({ "retry-after": "9" })).toBe(9000);
  expect(asked({ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" })).toBe(60_000);
  expect(asked({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" })).toBe(0);
  expect(asked({ "retry-after": "soon" })).toBeUndefined();
  expect(asked({})).toBeUndefined();
});

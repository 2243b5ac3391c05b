import { describe, expect, test } from "bun:test";
import { leftWith, sseData, sseEvent, sseResponse } from "../../../src/gateway/fal/sse.ts";
import { allEvents } from "../../support/read-events.ts";

const streamOf = (events: AsyncGenerator<string>, left = new AbortController()) =>
  sseResponse({
    events,
    left,
    keepAliveMs: 60_000,
    headers: {},
    onFailure: (thrown) => sseEvent("error", String(thrown)),
  });

describe("an event stream", () => {
  test("that breaks inside ends with an event that says so", async () => {
    async function* broken() {
      yield sseData(1);
      throw new Error("disk gone");
    }
    expect(await allEvents(streamOf(broken()))).toEqual([
      { name: "message", data: 1 },
      { name: "error", data: "Error: disk gone" },
    ]);
  });

  test("whose reader leaves tells its source, and what the source throws then is nobody's concern", async () => {
    const left = new AbortController();
    async function* endless() {
      yield sseData("first");
      await new Promise((_, reject) => left.signal.addEventListener("abort", () => reject(new Error("too late"))));
    }
    const reader = streamOf(endless(), left).body?.getReader();
    await reader?.read();
    await reader?.read();
    await reader?.cancel();
    expect(left.signal.aborted).toBe(true);
  });

  test("whose reader leaves without taking what it has ends its source, which waits for nothing", async () => {
    const ended = Promise.withResolvers<string>();
    async function* waitsForReader() {
      try {
        for (;;) yield sseData("more");
      } finally {
        ended.resolve("ended");
      }
    }
    const reader = streamOf(waitsForReader()).body?.getReader();
    await reader?.read();
    await reader?.read();
    await reader?.cancel();
    expect(await ended.promise).toBe("ended");
  });

  test("that came to its end is left by nobody", async () => {
    const left = new AbortController();
    async function* two() {
      yield sseData(1);
      yield sseData(2);
    }
    expect(await allEvents(streamOf(two(), left))).toHaveLength(2);
    expect(left.signal.aborted).toBe(false);
  });

  test("can't be held up by proxies", () => {
    async function* none() {}
    const { headers } = streamOf(none());
    expect(headers.get("cache-control")).toContain("no-transform");
    expect(headers.get("x-accel-buffering")).toBe("no");
  });

  test("knows of a caller who left before it began, and of one who leaves later", () => {
    const gone = new Request("http://localhost/", { signal: AbortSignal.abort() });
    expect(leftWith(gone).signal.aborted).toBe(true);
    const caller = new AbortController();
    const left = leftWith(new Request("http://localhost/", { signal: caller.signal }));
    expect(left.signal.aborted).toBe(false);
    caller.abort();
    expect(left.signal.aborted).toBe(true);
  });
});

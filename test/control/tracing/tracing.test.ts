// Traces as a real receiver of OTLP over HTTP gets them: what hangs below what, and what becomes of them where nobody takes them.
import { expect, test } from "bun:test";
import { createTracing, type Tracing } from "../../../src/control/tracing/tracing.ts";
import { asId, type JobId, type ModelId, newJobId } from "../../../src/core/ids.ts";
import type { JobOutcome } from "../../../src/core/job.ts";
import { createLog } from "../../../src/core/log.ts";
import { instant } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";

type Sent = { traceId: string; spanId: string; parentSpanId?: string; name: string; attributes: unknown[] };

/** A collector that keeps what it is sent, or refuses it while `isDown`. */
function createCollector() {
  const spans: Sent[] = [];
  const state = { isDown: false };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (state.isDown) return new Response("away", { status: 400 });
      const { resourceSpans } = (await request.json()) as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      return Response.json({});
    },
  });
  return { spans, state, endpoint: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function startTracing({ endpoint, percent = 100 }: { endpoint: string; percent?: number }) {
  const lines: { message: string; lost?: number }[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(JSON.parse(line)) });
  const timers = createTestClock();
  let tell = (_job: JobOutcome) => {};
  const follow = (listener: (job: JobOutcome) => void) => {
    tell = listener;
    return () => {};
  };
  const tracing = createTracing({ jobs: { follow }, endpoint, percent, version: "1", timers, log });
  await tracing.start();
  return { tracing, lines, timers, ended: (id: JobId) => tell(outcome(id)) };
}

const outcome = (id: JobId): JobOutcome => ({
  ...{ id, model: asId<ModelId>("forecourt/echo"), createdAt: instant(1_000), finishedAt: instant(1_700) },
  ...{ status: "done", units: { images: 2 }, device: "cpu", timing: { queueMs: 100, loadMs: 200, runMs: 400 } },
});

type Facts = Parameters<Tracing["answered"]>[0];
const answer = (requestId: string, path = "/queue/forecourt/echo", more: Partial<Facts> = {}): Facts => ({
  ...{ method: "POST", path, status: 200, startedAt: 900, endedAt: 950, requestId },
  ...more,
});
const jobsIn = (spans: Sent[]) => spans.filter(({ name }) => name === "job forecourt/echo");
const named = (spans: Sent[], name: string) => spans.find((span) => span.name === name);

test("a job hangs below the request that made it, however often it is asked about, and its waits and run below it", async () => {
  await using collector = createCollector();
  const { tracing, ended } = await startTracing(collector);
  const id = newJobId();
  const poll = answer(id, `/queue/forecourt/echo/requests/${id}/status`, { method: "GET" });
  tracing.answered(answer(id));
  tracing.answered(poll);
  ended(id);
  tracing.answered(poll);
  await tracing.stop();
  const { spans } = collector;
  const [job, ...others] = jobsIn(spans);
  expect(others).toEqual([]);
  expect(job?.parentSpanId).toBe(named(spans, "POST queue")?.spanId);
  const parts = ["queue", "load", "run"].map((name) => named(spans, name)?.parentSpanId);
  expect(parts).toEqual(Array(3).fill(job?.spanId));
});

test("a job that ends before its answer is made hangs below it too; one that no request asked for is a trace of its own", async () => {
  await using collector = createCollector();
  const { tracing, ended, timers } = await startTracing(collector);
  const [early, alone] = [newJobId(), newJobId()];
  ended(early);
  tracing.answered(answer(early, "/run/forecourt/echo"));
  ended(alone);
  timers.advance(10_000);
  await tracing.stop();
  const parents = jobsIn(collector.spans).map(({ parentSpanId }) => parentSpanId || undefined);
  expect(parents).toEqual([named(collector.spans, "POST run")?.spanId, undefined]);
});

test("a caller's trace goes on here as it decided, and a header that is none begins one here", async () => {
  await using collector = createCollector();
  const { tracing } = await startTracing({ ...collector, percent: 0 });
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const caller = "b7ad6b7169203331";
  const headers = [
    `00-${trace}-${caller}-01`,
    `00-${trace}-${caller}-00`,
    `ff-${trace}-${caller}-01`,
    `00-${"0".repeat(32)}-${caller}-01`,
    "nonsense\u0000\n",
    "x".repeat(100_000),
  ];
  for (const traceparent of headers) tracing.answered(answer(newJobId(), "/run/forecourt/echo", { traceparent }));
  await tracing.stop();
  // None begins here at 0 %, and the second caller wished for no trace.
  expect(collector.spans).toEqual([expect.objectContaining({ traceId: trace, parentSpanId: caller })]);
});

test("a collector that takes nothing is told once, with what was lost once it takes again", async () => {
  await using collector = createCollector();
  const { tracing, lines } = await startTracing(collector);
  /** A full lot, which is sent at once. */
  const lot = () => {
    for (let each = 0; each < 512; each++) tracing.answered(answer(newJobId()));
  };
  const said = async (message: string) => {
    while (!lines.some((line) => line.message.includes(message))) {
      lot();
      await Bun.sleep(10);
    }
  };
  collector.state.isDown = true;
  await said("not taken by the collector");
  expect(collector.spans).toEqual([]);
  collector.state.isDown = false;
  await said("taken again");
  await tracing.stop();
  expect(lines.filter(({ message }) => message.includes("not taken"))).toHaveLength(1);
  expect(lines.find(({ message }) => message.includes("again"))?.lost).toBeGreaterThanOrEqual(512);
  expect(collector.spans.length).toBeGreaterThanOrEqual(512);
});

test("an endpoint that is no URL is refused at the start, by its name", async () => {
  await expect(startTracing({ endpoint: "http://[" })).rejects.toThrow("tracing.endpoint");
});

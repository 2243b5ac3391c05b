// Traces of a real server, as a collector gets them over OTLP/HTTP: the caller's trace goes on, the job's parts hang below.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type LiveServer, startServer, until } from "../support/live-server.ts";

type Attribute = { key: string; value: { stringValue?: string; intValue?: number | string } };
type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
};

const spans: Span[] = [];
let collector: ReturnType<typeof Bun.serve>;
let server: LiveServer;
beforeAll(async () => {
  collector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      expect(new URL(request.url).pathname).toBe("/v1/traces");
      const body = (await request.json()) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      return Response.json({});
    },
  });
  server = await startServer({ env: { FORECOURT_TRACING_ENDPOINT: `http://127.0.0.1:${collector.port}` } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await collector.stop(true);
});

const post = (path: string, traceparent?: string) =>
  fetch(`${server.origin}${path}`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, ...(traceparent !== undefined && { traceparent }) },
    body: JSON.stringify({ prompt: "hi", steps: 2 }),
  });
const attribute = ({ attributes }: Span, name: string) => attributes.find(({ key }) => key === name)?.value.stringValue;

test(
  "the trace that a caller began holds the request, its job, and the job's wait, load and run",
  async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const answer = await post("/run/forecourt/echo", `00-${traceId}-b7ad6b7169203331-01`);
    const id = answer.headers.get("x-fal-request-id") ?? "";
    const notTraced = await post("/run/forecourt/echo", `00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00`);
    const queued = (await (await post("/queue/forecourt/echo?fal_jwt_token=hidden")).json()) as { request_id: string };
    const ofJob = (job: string) =>
      spans.find((span) => span.name.startsWith("job ") && attribute(span, "forecourt.request_id") === job);
    await until(
      async () => ofJob(id) !== undefined && ofJob(queued.request_id) !== undefined,
      "the collector has both jobs",
    );

    const request = spans.find(({ parentSpanId }) => parentSpanId === "b7ad6b7169203331");
    const job = ofJob(id);
    expect(request).toMatchObject({ traceId, name: "POST run" });
    expect(job).toMatchObject({ traceId, parentSpanId: request?.spanId, name: "job forecourt/echo" });
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === job?.spanId);
    expect(parts.map(({ name }) => name).sort()).toEqual(["load", "queue", "run"]);
    for (const part of parts) {
      expect(part.traceId).toBe(traceId);
      expect(BigInt(part.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(part.startTimeUnixNano));
    }
    const ofQueue = ofJob(queued.request_id);
    expect(ofQueue?.traceId).not.toBe(traceId);
    expect(spans.find(({ spanId }) => spanId === ofQueue?.parentSpanId)?.name).toBe("POST queue");
    expect(ofJob(notTraced.headers.get("x-fal-request-id") ?? "")).toBeUndefined();
    expect(JSON.stringify(spans)).not.toContain("hidden");
  },
  { timeout: 60_000 },
);

test("a collector that is gone costs the callers nothing", async () => {
  await collector.stop(true);
  for (let n = 0; n < 20; n++) expect((await post("/run/forecourt/echo")).status).toBe(200);
});

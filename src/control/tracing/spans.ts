// Spans by OpenTelemetry, sent over OTLP/HTTP. Imported only where tracing is switched on; the only file that imports it.
import { type context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ExportResultCode, parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { JobOutcome } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";

export type RequestFacts = {
  method: string;
  /** Without its query, which may hold tokens. */
  path: string;
  status: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
  /** The caller's header of that name. */
  traceparent?: string;
  requestId: string;
};

/** What a later span hangs below. */
export type Parent = ReturnType<typeof context.active>;

export type SpanMaker = {
  request(facts: RequestFacts): Parent;
  /** The job with its waits and its run, below `parent` or as a trace of its own. */
  job(job: JobOutcome, parent: Parent | undefined): void;
  /** Sends what is left. */
  stop(): Promise<void>;
};

/** `endpoint` is a collector's base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT. `share` of traces begun here: 0 to 1. */
export function createSpanMaker({
  endpoint,
  share,
  version,
  log,
}: {
  endpoint: string;
  share: number;
  version: string;
  log: Log;
}): SpanMaker {
  const exporter = telling(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "forecourt", "service.version": version }),
    // A caller that traces decides for its whole trace.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("forecourt", version);
  return {
    request({ method, path, status, startedAt, endedAt, traceparent, requestId }) {
      const attributes = {
        "http.request.method": method,
        "url.path": path,
        "http.response.status_code": status,
        "forecourt.request_id": requestId,
      };
      const options = { kind: SpanKind.SERVER, startTime: startedAt, attributes };
      const caller = parentOf(traceparent);
      const span = tracer.startSpan(`${method} ${path.split("/")[1] ?? ""}`, options, caller);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endedAt);
      // Its names alone: thousands are kept until their jobs end, and the span itself has been sent.
      return trace.setSpanContext(ROOT_CONTEXT, span.spanContext());
    },
    job(job, parent = ROOT_CONTEXT) {
      const attributes = {
        "forecourt.request_id": job.id,
        "forecourt.model": job.model,
        "forecourt.status": job.status,
      };
      const span = tracer.startSpan(`job ${job.model}`, { startTime: job.createdAt, attributes }, parent);
      if (job.status === "done") addParts(job, { tracer, span, parent });
      if (job.status === "failed") span.setStatus({ code: SpanStatusCode.ERROR, message: job.failure.code });
      span.end(job.finishedAt);
    },
    stop: () => provider.shutdown(),
  };
}

/**
 * What a collector does not take is thrown away, and the library says so to nobody: a box whose traces go nowhere would look
 * like one that has nothing to do. Told when it begins and when it is over.
 */
function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let lost = 0;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const isTaken = result.code === ExportResultCode.SUCCESS;
        if (isTaken && lost > 0) log.info("traces are taken again", { lost });
        if (!isTaken && lost === 0)
          log.warn("traces are not taken by the collector and thrown away; see tracing.endpoint", {
            error: String(result.error ?? "unknown"),
          });
        lost = isTaken ? 0 : lost + spans.length;
        done(result);
      }),
    forceFlush: async () => await exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

function parentOf(traceparent: string | undefined): Parent {
  const found = traceparent === undefined ? null : parseTraceParent(traceparent);
  return found ? trace.setSpanContext(ROOT_CONTEXT, { ...found, isRemote: true }) : ROOT_CONTEXT;
}

type Place = { tracer: ReturnType<TracerProvider["getTracer"]>; span: Span; parent: Parent };

/** From the end backwards: the last attempt's run, the load before it, the wait before that. */
function addParts(job: Extract<JobOutcome, { status: "done" }>, { tracer, span, parent }: Place): void {
  span.setAttribute("forecourt.device", job.device);
  for (const [unit, amount] of Object.entries(job.units)) span.setAttribute(`forecourt.units.${unit}`, amount);
  const { queueMs, loadMs, runMs } = job.timing;
  const below = trace.setSpan(parent, span);
  const runAt = job.finishedAt - runMs;
  const loadAt = runAt - loadMs;
  const parts = [
    { name: "queue", from: loadAt - queueMs, to: loadAt },
    { name: "load", from: loadAt, to: runAt },
    { name: "run", from: runAt, to: job.finishedAt },
  ];
  for (const { name, from, to } of parts) tracer.startSpan(name, { startTime: from }, below).end(to);
}

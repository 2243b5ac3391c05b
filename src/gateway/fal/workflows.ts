// Workflows on fal's faces: called like a model, at workflows/execute or workflows/<user>/<name>.

import type { Jobs } from "../../control/jobs/jobs.ts";
import type { WebhookWish } from "../../control/webhooks/outbox.ts";
import type { WorkflowEvent } from "../../control/workflows/conductor.ts";
import { EXECUTE } from "../../control/workflows/definition.ts";
import type { Workflows } from "../../control/workflows/workflows.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import { failureBody, statusOf } from "../failures.ts";
import { onAbort } from "../on-abort.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { Call } from "./call.ts";
import { leftWith, sseComment, sseData, sseResponse } from "./sse.ts";
import { submissionOptions } from "./submission-options.ts";
import { type FinishedJob, failureOf, isOver, publicOutput } from "./translate.ts";

export type WorkflowTarget = { endpoint: string; rest: string };

/** Undefined for the path of a model. Throws `not_found` for one below `workflows/` that leads nowhere. */
export function workflowOf(path: string): WorkflowTarget | undefined {
  if (!path.startsWith("workflows/")) return undefined;
  const [, endpoint = "", rest = ""] = /^(workflows\/(?:execute|[^/]+\/[^/]+))(|\/stream)$/.exec(path) ?? [];
  // `workflows/execute/stream` would else be a user's workflow named stream.
  if (path === `${EXECUTE}/stream`) return { endpoint: EXECUTE, rest: "/stream" };
  if (endpoint !== "") return { endpoint, rest };
  throw new ForecourtError("not_found", `Path /${path.slice(0, 200)} not found`);
}

type Beginning = { workflows: Pick<Workflows, "run">; bodyLimit: Bytes };
type Manner = { endpoint: string; rejectInvalid: boolean; webhook?: WebhookWish };

/** A time limit until the start has no meaning here: a workflow starts at once. */
export async function beginWorkflow(
  { workflows, bodyLimit }: Beginning,
  { request, caller, query }: Call,
  { endpoint, rejectInvalid, webhook }: Manner,
): Promise<Job> {
  const { startTimeout: _, maxQueue: __, ...options } = submissionOptions(request.headers, query);
  const input = await readJson(request, bodyLimit);
  return await workflows.run({
    endpoint,
    caller,
    input,
    rejectInvalid,
    options: { ...options, ...(webhook && { webhook }) },
  });
}

type Streaming = { jobs: Jobs; job: Job; call: Call; keepAliveMs: number; report: ReportFailure };

/** Node by node as they are submitted and complete; the last event is the output, or the error that ended it. */
export function workflowStream({ jobs, job, call, keepAliveMs, report }: Streaming): Response {
  const left = leftWith(call.request);
  onAbort(left.signal, () => jobs.abandon(job.id));
  return sseResponse({
    events: events({ jobs, job, call, signal: left.signal }),
    left,
    keepAliveMs,
    headers: { [REQUEST_ID]: job.id },
    onFailure: (thrown) => sseData(errorEvent(report(thrown, job.id))),
  });
}

type Watching = Pick<Streaming, "jobs" | "job" | "call"> & { signal: AbortSignal };

async function* events({ jobs, job, call: { roots }, signal }: Watching): AsyncGenerator<string> {
  for await (const event of jobs.attend(job.id, signal)) {
    if (event.type === "progress") yield sseComment(`progress ${event.at}/${event.of}`);
    // The conductor's words are fal's.
    if (event.type === "partial") yield sseData(publicOutput(event.value as WorkflowEvent, job.files, roots));
    if (event.type === "finished" && isOver(event.job)) yield sseData(lastEvent(event.job, { roots }));
  }
}

function lastEvent(job: FinishedJob, { roots }: Pick<Call, "roots">) {
  if (job.status === "done") return { type: "output", output: publicOutput(job.output, job.files, roots) };
  return errorEvent(failureOf(job));
}

function errorEvent(failure: Failure) {
  const error = { status: statusOf(failure), body: failureBody(failure) };
  return { type: "error", node_id: failure.details?.node ?? null, message: failure.message, error };
}

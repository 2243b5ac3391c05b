// Running a model or workflow for a tool: a durable request, watched for a while; who waits longer asks for it again.
import type { Submission } from "../../control/jobs/submission.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { failureBody, messageOf } from "../failures.ts";
import { type Call, endpointOf } from "../fal/call.ts";
import { type FinishedJob, failureOf, isOver, publicOutput, requestUrls, statusBody } from "../fal/translate.ts";
import { workflowOf } from "../fal/workflows.ts";
import { onAbort } from "../on-abort.ts";
import type { Answer, Asked, Progress, ToolParts } from "./tool.ts";

export type Run = {
  endpoint: string;
  /** Unchecked. */
  input: unknown;
  options?: Pick<Submission, "lifecycle" | "keepsPayload">;
};

/** Throws `invalid_input` and what else keeps a request out, before it is one. */
export async function begin({ catalog, jobs, workflows }: ToolParts, { caller }: Call, run: Run): Promise<Job> {
  const { endpoint, input, options = {} } = run;
  const workflow = workflowOf(endpoint);
  if (workflow?.rest) throw noEndpoint(endpoint);
  if (workflow)
    return await workflows.run({ endpoint: workflow.endpoint, caller, input, rejectInvalid: true, options });
  const found = endpointOf(catalog, endpoint);
  if (found.rest !== "") throw noEndpoint(endpoint);
  const { model } = found.entry;
  // It may wait in the queue: the caller is told how to ask for it.
  const manner = { rejectInvalid: true, mayWait: true };
  return await jobs.submit({ ...options, ...manner, model, endpoint: found.endpoint, key: caller.id, input });
}

const noEndpoint = (endpoint: string) =>
  new ForecourtError("not_found", `There is no model ${endpoint}.`.slice(0, 300));

/** The result; where that takes longer than `waitMs`, how to ask for it. A caller who cancels takes the job along. */
export async function runToTheEnd(parts: ToolParts, asked: Asked, run: Run): Promise<Answer> {
  const job = await begin(parts, asked.call, run);
  const over = await follow(parts, asked, job);
  return over ? resultOf(over, asked.call, run) : { value: underWay(job, parts, asked.call) };
}

async function follow(parts: ToolParts, asked: Asked, { id }: Job): Promise<FinishedJob | undefined> {
  const { jobs, waitMs } = parts;
  const stay = onAbort(asked.signal, () => jobs.abandon(id));
  const patience = AbortSignal.any([asked.signal, AbortSignal.timeout(waitMs)]);
  try {
    for await (const event of jobs.attend(id, patience)) {
      if (event.type === "finished" && isOver(event.job)) return event.job;
      const progress = progressOf(event);
      if (progress) asked.tell(progress);
    }
  } finally {
    stay();
  }
  return undefined;
}

type Event = { type: string; position?: number; at?: number; of?: number };

function progressOf({ type, position, at, of }: Event): Progress | undefined {
  if (type === "queued") return { at: 0, message: position === 0 ? "Next in the queue" : `${position} requests ahead` };
  if (type === "progress" && at !== undefined && of !== undefined) return { at, of, message: `Step ${at} of ${of}` };
  return undefined;
}

export function underWay(job: Job, { jobs, scheduler }: ToolParts, { roots }: Call): Record<string, unknown> {
  const position = job.status === "queued" ? jobs.position(job.id) : 0;
  const waitMs = job.status === "queued" ? scheduler.estimateWait(job.model, position) : undefined;
  return {
    ...statusBody(job, { logs: null, position, roots, ...(waitMs !== undefined && { waitMs }) }),
    status: "processing",
    endpoint_id: job.endpoint,
    next: "Ask check_job with this endpoint_id and request_id until it is COMPLETED, then get_job_result.",
  };
}

/** With the recipe to have it again. */
export function resultOf(job: FinishedJob, { roots }: Call, { endpoint, input }: Run): Answer {
  const about = { request_id: job.id, endpoint_id: job.endpoint, ...requestUrls(job, roots) };
  const recipe = { endpoint_id: endpoint, input };
  if (job.status !== "done") {
    const failure = failureOf(job);
    const value = { status: "failed", error: messageOf(failure), ...failureBody(failure), ...about, recipe };
    return { value, isError: true };
  }
  if (job.isForgotten) return { value: { status: "forgotten", ...about }, isError: true };
  return { value: { status: "completed", output: publicOutput(job.output, job.files, roots), ...about, recipe } };
}

/** Throws `not_found`, also for other people's. */
export function ownJob({ jobs }: ToolParts, { caller }: Call, id: string): Job {
  const job = jobs.find(asId<JobId>(id));
  if (job && (job.key === caller.id || caller.scope === "admin")) return job;
  throw new ForecourtError("not_found", `There is no request ${id.slice(0, 100)}.`);
}

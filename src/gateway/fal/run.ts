// fal.run: one request, one answer. Submits a job and waits for its end; a caller who leaves takes the job along.
import type { Catalog } from "../../control/catalog/catalog.ts";
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Workflows } from "../../control/workflows/workflows.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import { requireUse } from "../authenticate.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { requireExactly, requireMethod } from "../require-method.ts";
import { type Call, type Endpoint, endpointOf, type Face } from "./call.ts";
import { inputFromQuery } from "./query-input.ts";
import { streamResponse } from "./stream.ts";
import { submissionOptions } from "./submission-options.ts";
import { type FinishedJob, type ResultParts, resultResponse } from "./translate.ts";
import { untilFinished } from "./until-finished.ts";
import { beginWorkflow, type WorkflowTarget, workflowOf, workflowStream } from "./workflows.ts";

type RunParts = {
  catalog: Catalog;
  jobs: Jobs;
  accounts: ResultParts["accounts"];
  workflows: Pick<Workflows, "run">;
  bodyLimit: Bytes;
  keepAliveMs: number;
  report: ReportFailure;
};

export function createRun(parts: RunParts): Face {
  const { catalog, jobs, keepAliveMs, report } = parts;
  return async (call) => {
    const workflow = workflowOf(call.path);
    if (workflow) return await runWorkflow(parts, call, workflow);
    const target = endpointOf(catalog, call.path);
    if (target.rest !== "" && target.rest !== "/stream")
      throw new ForecourtError("not_found", `Path ${target.rest} not found`);
    requireExactly(call.request, ["POST", "GET"], "Send the model's input as JSON with POST.");
    requireUse(call.caller, "models:run");
    const isFollowed = target.rest === "/stream";
    const job = await submit(parts, call, { ...target, isFollowed });
    if (isFollowed) return await streamResponse({ jobs, job, call, keepAliveMs, report });
    return resultResponse(await finished(jobs, job, call.request.signal), { ...parts, roots: call.roots });
  };
}

async function runWorkflow(parts: RunParts, call: Call, { endpoint, rest }: WorkflowTarget): Promise<Response> {
  requireMethod(call.request, ["POST"], "Send the workflow's input as JSON with POST.");
  requireUse(call.caller, "models:run");
  const job = await beginWorkflow(parts, call, { endpoint, rejectInvalid: true });
  call.waitForever();
  if (rest === "/stream") return workflowStream({ ...parts, job, call });
  return resultResponse(await finished(parts.jobs, job, call.request.signal), { ...parts, roots: call.roots });
}

/** fal never retries a request whose caller waits: the caller sees the failure and decides. */
async function submit(
  parts: { jobs: Jobs; bodyLimit: Bytes },
  call: Call,
  { entry, endpoint, isFollowed }: Endpoint & { isFollowed: boolean },
): Promise<Job> {
  const { request, caller, query } = call;
  const options = submissionOptions(request.headers, query);
  const read = async () =>
    request.method === "GET" ? inputFromQuery(entry.input, query) : await readJson(request, parts.bodyLimit);
  const input = call.input ?? (await read());
  call.waitForever();
  request.signal.throwIfAborted();
  const { model } = entry;
  return await parts.jobs.submit({
    ...options,
    model,
    endpoint,
    key: caller.id,
    input,
    rejectInvalid: true,
    retry: false,
    isAnnounced: isFollowed,
    ...(isFollowed && { wishes: { ...options.wishes, partials: true } }),
  });
}

async function finished(jobs: Jobs, { id }: Job, signal: AbortSignal): Promise<FinishedJob> {
  const job = await untilFinished(jobs, id, signal);
  if (job) return job;
  throw new ForecourtError("client_cancelled", "The caller left before the request was done.");
}

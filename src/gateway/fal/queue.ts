// queue.fal.run: submit now, ask later. Requests are found by their id alone, whatever endpoint the URL names.
import type { Catalog } from "../../control/catalog/catalog.ts";
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Scheduler } from "../../control/scheduler/scheduler.ts";
import type { WebhookWish } from "../../control/webhooks/outbox.ts";
import type { Webhooks } from "../../control/webhooks/webhooks.ts";
import type { Workflows } from "../../control/workflows/workflows.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes } from "../../core/units.ts";
import { requireUse } from "../authenticate.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { REQUEST_ID } from "../request-id.ts";
import { requireMethod } from "../require-method.ts";
import { type Call, endpointOf, type Face, type Roots } from "./call.ts";
import { statusStream } from "./status-stream.ts";
import { submissionOptions } from "./submission-options.ts";
import { inQueue, isOver, type ResultParts, resultResponse, statusBody } from "./translate.ts";
import { beginWorkflow, type WorkflowTarget, workflowOf } from "./workflows.ts";

export type QueueParts = {
  catalog: Catalog;
  jobs: Jobs;
  accounts: ResultParts["accounts"];
  scheduler: Pick<Scheduler, "estimateWait">;
  workflows: Pick<Workflows, "run">;
  webhooks: Pick<Webhooks, "target">;
  bodyLimit: Bytes;
  keepAliveMs: number;
  report: ReportFailure;
};

type Operation = { method: string; answer(parts: QueueParts, call: Call, job: Job): Response | Promise<Response> };

const operations: Record<string, Operation> = {
  "": { method: "GET", answer: result },
  "/response": { method: "GET", answer: result },
  "/status": { method: "GET", answer: status },
  "/status/stream": { method: "GET", answer: streamStatus },
  "/cancel": { method: "PUT", answer: cancel },
};

const REQUEST_PATH = /^.+?\/requests\/([^/]+)(|\/response|\/status|\/status\/stream|\/cancel)$/;

export function createQueue(parts: QueueParts): Face {
  return async (call) => {
    const [, id, name] = REQUEST_PATH.exec(call.path) ?? [];
    const operation = name === undefined ? undefined : operations[name];
    if (id === undefined || operation === undefined) return await submit(parts, call);
    requireMethod(call.request, [operation.method], `Use ${operation.method}.`);
    const job = ownJob(parts.jobs, asId<JobId>(id), call);
    return job ? await operation.answer(parts, call, job) : Response.json({ status: "NOT_FOUND" }, { status: 404 });
  };
}

/** Other keys' requests do not exist for a caller, except for an admin. */
function ownJob(jobs: Jobs, id: JobId, { caller }: Call): Job | undefined {
  const job = jobs.find(id);
  return job && (job.key === caller.id || caller.scope === "admin") ? job : undefined;
}

/** As at fal, the input is not judged here: a wrong one shows when the result is fetched. */
async function submit(parts: QueueParts, call: Call): Promise<Response> {
  const { request, caller, query, roots } = call;
  const workflow = workflowOf(call.path);
  if (workflow) return await submitWorkflow(parts, call, workflow);
  const { entry, endpoint, rest } = endpointOf(parts.catalog, call.path);
  if (rest !== "") throw new ForecourtError("not_found", `Path ${rest} not found`);
  requireMethod(request, ["POST"], "Submit a request with POST; its status and result are at /requests/<id>.");
  requireUse(caller, "models:run");
  const options = { ...submissionOptions(request.headers, query), ...webhookOf(call, parts.webhooks) };
  const input = call.input ?? (await readJson(request, parts.bodyLimit));
  const job = await parts.jobs.submit({
    ...options,
    model: entry.model,
    endpoint,
    key: caller.id,
    input,
    rejectInvalid: false,
  });
  return ticket(job, isOver(job) ? { position: 0 } : lineOf(job, parts), roots);
}

async function submitWorkflow(parts: QueueParts, call: Call, { endpoint, rest }: WorkflowTarget): Promise<Response> {
  if (rest !== "") throw new ForecourtError("not_found", `Path ${rest} not found`);
  requireMethod(call.request, ["POST"], "Submit a request with POST; its status and result are at /requests/<id>.");
  requireUse(call.caller, "models:run");
  const { webhook } = webhookOf(call, parts.webhooks);
  const job = await beginWorkflow(parts, call, { endpoint, rejectInvalid: false, ...(webhook && { webhook }) });
  return ticket(job, { position: 0 }, call.roots);
}

function lineOf({ id, model }: Job, { jobs, scheduler }: Pick<QueueParts, "jobs" | "scheduler">) {
  const position = jobs.position(id);
  const waitMs = scheduler.estimateWait(model, position);
  return { position, ...(waitMs !== undefined && { waitMs }) };
}

function ticket(job: Job, line: { position: number; waitMs?: number }, roots: Roots): Response {
  const body = { ...inQueue(job, { ...line, roots }), gateway_request_id: job.id };
  return Response.json(body, { headers: { [REQUEST_ID]: job.id } });
}

/** Throws `bad_request`: a webhook that can never come would be noticed too late. */
function webhookOf({ query, roots }: Call, webhooks: QueueParts["webhooks"]): { webhook?: WebhookWish } {
  const url = query.get("fal_webhook");
  return url === null ? {} : { webhook: { url: webhooks.target(url), origin: roots.origin } };
}

/** 202 until it is over: fal's app client reads the end from the HTTP status. */
function status(parts: QueueParts, { query, roots }: Call, job: Job): Response {
  const logs = wantsLogs(query) ? parts.jobs.logs(job.id) : null;
  const line = job.status === "queued" ? lineOf(job, parts) : { position: 0 };
  return Response.json(statusBody(job, { logs, ...line, roots }), {
    status: isOver(job) ? 200 : 202,
    headers: { [REQUEST_ID]: job.id },
  });
}

function streamStatus({ jobs, keepAliveMs, report }: QueueParts, call: Call, job: Job): Response {
  call.waitForever();
  return statusStream({ jobs, job, call, withLogs: wantsLogs(call.query), keepAliveMs, report });
}

/** JavaScript sends 1, Python true. */
const wantsLogs = (query: URLSearchParams) => /^(1|true)$/i.test(query.get("logs") ?? "");

function result(parts: QueueParts, { roots }: Call, job: Job): Response {
  if (isOver(job)) return resultResponse(job, { ...parts, roots });
  const detail = "Request is still in progress";
  return Response.json({ detail }, { status: 400, headers: { [REQUEST_ID]: job.id } });
}

const cancelAnswers = {
  requested: { status: 202, name: "CANCELLATION_REQUESTED" },
  finished: { status: 400, name: "ALREADY_COMPLETED" },
  unknown: { status: 404, name: "NOT_FOUND" },
} as const satisfies Record<ReturnType<Jobs["cancel"]>, { status: number; name: string }>;

function cancel({ jobs }: QueueParts, _: Call, { id }: Job): Response {
  const { status, name } = cancelAnswers[jobs.cancel(id)];
  return Response.json({ status: name }, { status, headers: { [REQUEST_ID]: id } });
}

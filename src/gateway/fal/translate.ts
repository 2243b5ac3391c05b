// Jobs in fal's words: result, status, log lines, the URLs of a request and of its files.
import type { Accounts } from "../../control/accounts/accounts.ts";
import type { Catalog } from "../../control/catalog/catalog.ts";
import { filePath, fileReference } from "../../control/storage/output-files.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import type { FileToken } from "../../core/ids.ts";
import { isFinished, type Job, type LogLine, type Timing } from "../../core/job.ts";
import { chargeHeaders } from "../charge-headers.ts";
import { errorOf, failureResponse } from "../failures.ts";
import { placeHeaders } from "../place-headers.ts";
import { REQUEST_ID } from "../request-id.ts";
import type { Roots } from "./call.ts";

export type FinishedJob = Extract<Job, { status: "done" | "failed" | "cancelled" }>;

export const isOver = (job: Job): job is FinishedJob => isFinished(job);

/** Why a finished job has no output. */
export const failureOf = (job: Exclude<FinishedJob, { status: "done" }>): Failure =>
  job.status === "failed" ? job.failure : { code: "client_cancelled", message: "The request was cancelled." };

export type ResultParts = { accounts: Pick<Accounts, "chargeOf">; catalog: Pick<Catalog, "find">; roots: Roots };

/** The model's bare output, or the failure with its own status. */
export function resultResponse(job: FinishedJob, { accounts, catalog, roots }: ResultParts): Response {
  if (job.status !== "done") return failureResponse(failureOf(job), job.id);
  if (job.isForgotten) return failureResponse(FORGOTTEN, job.id);
  return Response.json(publicOutput(job.output, job.files, roots), {
    headers: {
      [REQUEST_ID]: job.id,
      ...chargeHeaders([accounts.chargeOf(job.id)]),
      ...placeHeaders(job, catalog),
      "x-forecourt-timing": timingText(job.timing),
      ...(job.servedFrom !== undefined && { "x-fal-served-from": job.servedFrom }),
    },
  });
}

const FORGOTTEN = new ForecourtError(
  "not_found",
  "The result is not kept any more: the request asked for that with X-Fal-Store-IO: 0, or it was deleted.",
).toFailure();

export const timingText = ({ queueMs, loadMs, runMs }: Timing) =>
  `queue=${tenths(queueMs)}, load=${tenths(loadMs)}, run=${tenths(runMs)}`;
const tenths = (ms: number) => Math.round(ms * 10) / 10;

/** A copy in which every saved file's `url` leads to this box. */
export function publicOutput(value: unknown, files: FileToken, roots: Pick<Roots, "origin">): unknown {
  if (Array.isArray(value)) return value.map((each) => publicOutput(each, files, roots));
  if (typeof value === "string") return withOrigin(value, roots);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([field, inner]) => {
    const name = fileReference(field, inner);
    return [field, name === undefined ? publicOutput(inner, files, roots) : fileUrl(name, files, roots)];
  });
  return Object.fromEntries(fields);
}

/** Texts that refer to a file of another job, in a workflow's output, wherever they stand. */
function withOrigin(text: string, { origin }: Pick<Roots, "origin">): string {
  const path = filePath(text);
  return path === undefined ? text : `${origin}${path}`;
}

export const fileUrl = (name: string, files: FileToken, { origin }: Pick<Roots, "origin">) =>
  `${origin}/files/${files}/${encodeURIComponent(name)}`;

/** The clients build request URLs from `[namespace/]owner/alias` alone. */
export function requestUrls({ id, endpoint }: Pick<Job, "id" | "endpoint">, roots: Pick<Roots, "queue">) {
  const parts = endpoint.split("/");
  const isNamespaced = parts[0] === "workflows" || parts[0] === "comfy";
  const url = `${roots.queue}/${parts.slice(0, isNamespaced ? 3 : 2).join("/")}/requests/${id}`;
  return { response_url: url, status_url: `${url}/status`, cancel_url: `${url}/cancel` };
}

/** `logs` is null where none were asked for: Python's client wants the key. */
export type StatusDetails = {
  logs: LogLine[] | null;
  position: number;
  /** Until it begins, where earlier runs tell. */
  waitMs?: number;
  roots: Roots;
};

export function statusBody(job: Job, { logs, roots, ...line }: StatusDetails) {
  if (job.status === "queued") return inQueue(job, { ...line, roots });
  if (job.status === "running") return inProgress(job, { logs, roots });
  return completed(job, { logs, roots });
}

export const inQueue = (
  job: Job,
  { position, waitMs, roots }: Pick<StatusDetails, "position" | "waitMs" | "roots">,
) => ({
  status: "IN_QUEUE" as const,
  request_id: job.id,
  ...requestUrls(job, roots),
  queue_position: position,
  ...(waitMs !== undefined && { estimated_wait: waitMs / 1000 }),
});

type Progress = Pick<StatusDetails, "logs" | "roots">;

export const inProgress = (job: Job, { logs, roots }: Progress) => ({
  status: "IN_PROGRESS" as const,
  request_id: job.id,
  ...requestUrls(job, roots),
  logs: logs ? logs.map(logEntry) : null,
});

export function completed(job: FinishedJob, { logs, roots }: Progress) {
  return {
    status: "COMPLETED" as const,
    request_id: job.id,
    ...requestUrls(job, roots),
    logs: logs ? logs.map(logEntry) : null,
    metrics: { inference_time: job.status === "done" ? job.timing.runMs / 1000 : null },
    ...(job.status !== "done" && errorOf(failureOf(job))),
  };
}

const logEntry = ({ at, level, message }: LogLine) => ({
  message,
  timestamp: new Date(at).toISOString(),
  level,
  source: "USER",
});

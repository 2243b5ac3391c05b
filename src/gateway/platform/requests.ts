// Requests that were made: by endpoint, with what went in and out where that is asked for, and the deletion of that.
import { referencedFiles } from "../../control/storage/output-files.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId } from "../../core/ids.ts";
import { isoTime } from "../../core/iso-time.ts";
import { isFinished, type Job } from "../../core/job.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { codesWithStatus, failureBody, statusOf } from "../failures.ts";
import type { Roots } from "../fal/call.ts";
import { failureOf, fileUrl, isOver, publicOutput } from "../fal/translate.ts";
import { adminDelete, get, type PlatformParts } from "./operation.ts";
import { fromCursor, idList, nullable, pageFields, pageResult, toCursor, wrongQuery } from "./query.ts";
import { rangeFields, rangeOf } from "./time-range.ts";

export const outcomes = ["success", "error", "user_error"] as const;

const query = Type.Object({
  endpoint_id: idList("Of these models"),
  ...pageFields(100, 50),
  ...rangeFields,
  status: Type.Optional(choice(outcomes, { description: "success: 2xx, user_error: 4xx, error: 5xx" })),
  request_id: Type.Optional(Type.String({ maxLength: 100, description: "This one only, of the last 90 days" })),
  sort_by: choice(["ended_at", "duration"], { default: "ended_at", description: "Latest or longest first" }),
  expand: Type.Optional(Type.Array(choice(["payloads"]), { description: "payloads: with input and output" })),
});

const time = Type.String({ format: "date-time" });

export const itemFields = {
  request_id: Type.String(),
  endpoint_id: Type.String(),
  sent_at: time,
  started_at: nullable(time),
  ended_at: nullable(time),
  status_code: Type.Optional(Type.Integer()),
  duration: Type.Optional(Type.Number({ description: "Seconds of work" })),
  json_input: Type.Optional(Type.Unknown()),
  json_output: Type.Optional(Type.Unknown()),
};

export const requestsByEndpoint = get({
  path: "/models/requests/by-endpoint",
  summary: "Requests that have ended; an admin key sees those of all keys, others their own",
  query,
  result: Type.Object({
    items: Type.Array(Type.Object(itemFields)),
    ...pageResult,
  }),
  async answer(parts, { query, caller, roots }) {
    const { expand = [] } = query;
    const isOne = query.request_id !== undefined;
    const { jobs, hasMore } = isOne ? one(parts, query, caller) : await pageOf(parts, query, caller);
    const last = jobs.at(-1);
    return {
      items: jobs.map((job) => published(job, expand.includes("payloads"), roots)),
      next_cursor: hasMore && last ? toCursor([orderOf(last, query.sort_by), last.id]) : null,
      has_more: hasMore,
    };
  },
});

type Query = Static<typeof query>;
type Page = { jobs: Job[]; hasMore: boolean };
export type Caller = Parameters<Parameters<typeof get>[0]["answer"]>[1]["caller"];

const isMine = (job: Job, caller: Caller) => caller.scope === "admin" || job.key === caller.id;

/** With payloads it may be shorter than the limit, and there is a further one. */
function pageOf({ history, clock }: PlatformParts, query: Query, caller: Caller): Promise<Page> {
  const after = positionOf(query.cursor);
  return history.page({
    endpoints: query.endpoint_id,
    ...(caller.scope !== "admin" && { key: caller.id }),
    ...rangeOf(query, clock.now()),
    ...(query.status && { outcome: outcomeOf(query.status) }),
    ...(after && { after }),
    by: query.sort_by === "duration" ? "duration" : "ended",
    payloads: query.expand?.includes("payloads") ? "all" : "none",
    limit: query.limit,
  });
}

const REACH = 90 * 24 * 60 * 60 * 1000;

function one({ jobs, clock }: PlatformParts, query: Query, caller: Caller): Page {
  const { start, end } = rangeOf(query, clock.now(), REACH);
  const job = jobs.find(asId<JobId>(query.request_id ?? ""));
  if (!job || !isMine(job, caller)) return { jobs: [], hasMore: false };
  const isOfEndpoint = query.endpoint_id.includes(job.model) || query.endpoint_id.includes(job.endpoint);
  const isMeant = isOfEndpoint && job.createdAt >= start && job.createdAt < end;
  return { jobs: isMeant ? [job] : [], hasMore: false };
}

export function outcomeOf(status: (typeof outcomes)[number]) {
  if (status === "success") return { status: ["done" as const] };
  if (status === "error") return { status: ["failed" as const], codes: codesWithStatus(500, 600) };
  return { status: ["failed" as const, "cancelled" as const], codes: codesWithStatus(400, 500) };
}

function positionOf(cursor: string | undefined) {
  const [value, id] = fromCursor(cursor, 2) ?? [];
  if (cursor === undefined) return undefined;
  if (typeof value === "number" && typeof id === "string") return { value, id: asId<JobId>(id) };
  throw wrongQuery("cursor", "Input should be the next_cursor of an earlier answer");
}

/** What history-store.ts sorts by. */
function orderOf(job: Job, by: Query["sort_by"]): number {
  const ended = isOver(job) ? job.finishedAt : 0;
  if (by === "ended_at") return ended;
  return job.startedAt === undefined ? 0 : ended - job.startedAt;
}

export function published(job: Job, withPayloads: boolean, roots: Roots) {
  const { startedAt } = job;
  return {
    request_id: job.id,
    endpoint_id: job.endpoint,
    sent_at: isoTime(job.createdAt),
    started_at: isoTime(startedAt),
    ended_at: isOver(job) ? isoTime(job.finishedAt) : null,
    ...(isOver(job) && { status_code: job.status === "done" ? 200 : statusOf(failureOf(job)) }),
    ...(isOver(job) && startedAt !== undefined && { duration: (job.finishedAt - startedAt) / 1000 }),
    ...(withPayloads && payloadsOf(job, roots)),
  };
}

/** Where a request asked for that, only its caller's fetch of the result shows them, no history. */
function payloadsOf(job: Job, roots: Roots) {
  if (job.keepsPayload === false) return { json_input: null, json_output: null };
  return { json_input: job.input, json_output: outputOf(job, roots) };
}

function outputOf(job: Job, roots: Roots): unknown {
  if (!isOver(job)) return null;
  return job.status === "done" ? publicOutput(job.output, job.files, roots) : failureBody(failureOf(job));
}

export const deletePayloads = adminDelete({
  path: "/models/requests/{request_id}/payloads",
  summary: "Delete a request's input, output, log and output files; that it was made and its price stay",
  result: Type.Object({
    cdn_delete_results: Type.Array(Type.Object({ link: Type.String(), exception: nullable(Type.String()) })),
  }),
  async answer({ jobs, history }, { names, roots }) {
    const id = asId<JobId>(names.request_id ?? "");
    const job = jobs.find(id);
    if (!job) throw new ForecourtError("not_found", `There is no request ${id.slice(0, 100)}.`);
    const files = isFinished(job) && job.status === "done" ? referencedFiles(job.output) : [];
    await history.erase(id);
    return {
      cdn_delete_results: [...new Set(files)].map((name) => ({
        link: fileUrl(name, job.files, roots),
        exception: null,
      })),
    };
  },
});

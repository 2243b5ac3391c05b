// A response that was made before: found, told, streamed, cancelled, deleted. What is stored of one is its job.
import { ForecourtError } from "../../../core/errors.ts";
import { asId, type JobId } from "../../../core/ids.ts";
import type { Job } from "../../../core/job.ts";
import type { Call } from "../../fal/call.ts";
import { untilFinished } from "../../fal/until-finished.ts";
import { PIPELINES } from "../chosen-model.ts";
import { openAiStream } from "../event-stream.ts";
import type { OpenAiParts } from "../runs.ts";
import { responseEvents } from "./events.ts";
import { type Repeated, responseId, responseOf } from "./response.ts";

/** With `stream=true` its events from the first, whether it is over or not; who leaves them ends nothing. */
export async function showResponse(parts: OpenAiParts, call: Call, id: string): Promise<Response> {
  const job = storedJob(parts, call, id);
  const repeated = keptOf(parts, job);
  if (call.query.get("stream") !== "true") return Response.json(responseOf(job, repeated));
  if (call.query.has("starting_after")) throw noPlace();
  const values = (signal: AbortSignal) => responseEvents(parts, { job, repeated, isLeft: true, signal });
  return await openAiStream({ ...parts, call, requestId: job.id, values });
}

/** How it ended: a running one ends within a token, cancelled or, where its end was faster, as it is. */
export async function cancelResponse(parts: OpenAiParts, call: Call, id: string): Promise<Response> {
  const job = storedJob(parts, call, id);
  parts.jobs.cancel(job.id);
  const ended = (await untilFinished(parts.jobs, job.id, call.request.signal)) ?? job;
  return Response.json(responseOf(ended, keptOf(parts, job)));
}

/** What is known of a response beside its job. */
function keptOf({ conversations }: OpenAiParts, { id: job }: Job): Repeated {
  const id = conversations.ofJob(job);
  return id === undefined ? {} : { conversation: { id } };
}

/** What it said and was asked is forgotten at once; that it was made, and its price, stay. One that runs is cancelled before. */
export async function deleteResponse(parts: OpenAiParts, call: Call, id: string): Promise<Response> {
  const job = storedJob(parts, call, id);
  parts.jobs.cancel(job.id);
  await untilFinished(parts.jobs, job.id, call.request.signal);
  await parts.history.erase(job.id);
  return Response.json({ id: responseId(job), object: "response", deleted: true });
}

export function storedJob(parts: OpenAiParts, call: Call, id: string): Job {
  const job = foundJob(parts, call, id);
  if (job) return job;
  throw new ForecourtError("not_found", `Response with id '${id.slice(0, 100)}' not found.`);
}

/** A chat of the caller's, whichever face asked for it, that is not forgotten. */
export function foundJob({ jobs, catalog }: OpenAiParts, { caller }: Call, id: string): Job | undefined {
  const job = id.startsWith("resp_") ? jobs.find(asId<JobId>(id.slice("resp_".length))) : undefined;
  if (!job || job.isForgotten || (job.key !== caller.id && caller.scope !== "admin")) return undefined;
  const pipelines: readonly string[] = PIPELINES.chat;
  const entry = catalog.find(job.model);
  return entry && pipelines.includes(entry.model.pipeline) && job.input.raw !== true ? job : undefined;
}

/** A late reader gets in one event what an early one got in several: numbers of events mean nothing across streams. */
function noPlace(): ForecourtError {
  const msg = "A stream of a stored response begins with its first event; leave starting_after away";
  return new ForecourtError("invalid_input", msg, {
    problems: [{ loc: ["query", "starting_after"], msg, type: "value_error" }],
  });
}

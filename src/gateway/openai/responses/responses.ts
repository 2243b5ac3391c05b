// /v1/responses: asked, fetched later, gone on from, cancelled. What is stored of one is its job, and nothing else.
import { ForecourtError } from "../../../core/errors.ts";
import { asId, type JobId } from "../../../core/ids.ts";
import type { Job } from "../../../core/job.ts";
import type { ChatInput, ChatMessage, ChatOutput } from "../../../engine/generation/chat-fields.ts";
import type { Call } from "../../fal/call.ts";
import { untilFinished } from "../../fal/until-finished.ts";
import { readJson } from "../../read-json.ts";
import { requireMethod } from "../../require-method.ts";
import { chosenModel, PIPELINES } from "../chosen-model.ts";
import { openAiStream } from "../event-stream.ts";
import { answerHeaders } from "../headers.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "../runs.ts";
import { readResponseBody } from "./body.ts";
import { responseEvents } from "./events.ts";
import { responseOf } from "./response.ts";
import { conversationOf, inputOf } from "./translate.ts";

/** Everything below `/v1/responses`; `rest` is what follows, an id and what is asked of it. */
export async function responses(parts: OpenAiParts, call: Call, rest: readonly string[]): Promise<Response> {
  const [id, act, ...more] = rest;
  if (id === undefined) {
    requireMethod(call.request, ["POST"], "Use POST.");
    return await createResponse(parts, call);
  }
  if (act === undefined) {
    requireMethod(call.request, ["GET"], "Use GET.");
    return Response.json(responseOf(storedJob(parts, call, id)));
  }
  if (act === "cancel" && more.length === 0) {
    requireMethod(call.request, ["POST"], "Use POST.");
    return await cancelResponse(parts, call, id);
  }
  throw new ForecourtError("not_found", `Unknown request URL: /v1/responses/.../${act}`.slice(0, 300));
}

async function createResponse(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readResponseBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts.catalog, body.model, "chat");
  const { previous_response_id, metadata, stream, background } = body;
  if (stream && background) throw wrong("background", "A response in the background has no stream here; GET it");
  const history = previous_response_id === undefined ? [] : historyOf(parts, call, previous_response_id);
  const begun = { ...chosen, inputs: [inputOf(body, history)], isFollowed: stream, keepsPayload: body.store };
  const jobs = await beginJobs(parts, call, { ...begun, isLeft: background });
  const repeated = {
    background,
    ...(previous_response_id !== undefined && { previous_response_id }),
    ...(metadata && { metadata }),
  };
  const [job] = jobs;
  if (job && background) return Response.json(responseOf(job, repeated));
  if (job && stream) {
    const values = (signal: AbortSignal) => responseEvents(parts, { job, repeated, signal });
    return await openAiStream({ ...parts, call, requestId: job.id, values });
  }
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  return Response.json(done[0] && responseOf(done[0], repeated), { headers: answerHeaders(parts, done) });
}

function historyOf(parts: OpenAiParts, call: Call, id: string): ChatMessage[] {
  const job = foundJob(parts, call, id);
  if (job?.status === "done") return conversationOf(job.input as ChatInput, job.output as ChatOutput); // foundJob: a chat's
  const msg = `Previous response with id '${id.slice(0, 100)}' not found: it is none of this key's, has no answer, or is not kept.`;
  throw new ForecourtError("not_found", msg, {
    problems: [{ loc: ["body", "previous_response_id"], msg, type: "value_error" }],
    details: { code: "previous_response_not_found" },
  });
}

/** How it ended: a running one ends within a token, cancelled or, where its end was faster, as it is. */
async function cancelResponse(parts: OpenAiParts, call: Call, id: string): Promise<Response> {
  const job = storedJob(parts, call, id);
  parts.jobs.cancel(job.id);
  return Response.json(responseOf((await untilFinished(parts.jobs, job.id, call.request.signal)) ?? job));
}

function storedJob(parts: OpenAiParts, call: Call, id: string): Job {
  const job = foundJob(parts, call, id);
  if (job) return job;
  throw new ForecourtError("not_found", `Response with id '${id.slice(0, 100)}' not found.`);
}

/** A chat of the caller's, whichever face asked for it, that is not forgotten. */
function foundJob({ jobs, catalog }: OpenAiParts, { caller }: Call, id: string): Job | undefined {
  const job = id.startsWith("resp_") ? jobs.find(asId<JobId>(id.slice("resp_".length))) : undefined;
  if (!job || job.isForgotten || (job.key !== caller.id && caller.scope !== "admin")) return undefined;
  const pipelines: readonly string[] = PIPELINES.chat;
  const entry = catalog.find(job.model);
  return entry && pipelines.includes(entry.model.pipeline) && job.input.raw !== true ? job : undefined;
}

const wrong = (field: string, msg: string) =>
  new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body", field], msg, type: "value_error" }] });

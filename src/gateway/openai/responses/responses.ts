// /v1/responses: what is below that path, and the making of a response, alone or going on from an earlier one.
import { ForecourtError } from "../../../core/errors.ts";
import { wrongField } from "../../../core/wrong-field.ts";
import type { Call } from "../../fal/call.ts";
import { readJson } from "../../read-json.ts";
import { requireMethod } from "../../require-method.ts";
import { chosenModel } from "../chosen-model.ts";
import { openAiStream } from "../event-stream.ts";
import { inFieldNames } from "../field-names.ts";
import { answerHeaders } from "../headers.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "../runs.ts";
import { type ResponseBody, readInputTokensBody, readResponseBody } from "./body.ts";
import { responseEvents } from "./events.ts";
import { listInputItems } from "./input-items.ts";
import { countInputTokens } from "./input-tokens.ts";
import { responseOf } from "./response.ts";
import { saidIn } from "./said.ts";
import { cancelResponse, deleteResponse, showResponse } from "./stored.ts";
import { inputOf } from "./translate.ts";

/** Everything below `/v1/responses`; `rest` is what follows, an id and what is asked of it. */
export async function responses(parts: OpenAiParts, call: Call, rest: readonly string[]): Promise<Response> {
  const [id, act, ...more] = rest;
  if (id === undefined) {
    requireMethod(call.request, ["POST"], "Use POST.");
    const body = readResponseBody(await readJson(call.request, parts.bodyLimit));
    return await renamed(createResponse(parts, call, body));
  }
  if (id === INPUT_TOKENS && act === undefined) {
    requireMethod(call.request, ["POST"], "Use POST.");
    const body = readInputTokensBody(await readJson(call.request, parts.bodyLimit));
    return await renamed(countInputTokens(parts, call, body));
  }
  if (act === undefined) {
    if (call.request.method === "POST") throw unknownUrl(id);
    requireMethod(call.request, ["GET", "DELETE"], "Use GET or DELETE.");
    return await (call.request.method === "GET" ? showResponse : deleteResponse)(parts, call, id);
  }
  if (act === "cancel" && more.length === 0) {
    requireMethod(call.request, ["POST"], "Use POST.");
    return await cancelResponse(parts, call, id);
  }
  if (act === "input_items" && more.length === 0) {
    requireMethod(call.request, ["GET"], "Use GET.");
    return listInputItems(parts, call, id);
  }
  throw unknownUrl(`.../${act}`);
}

const INPUT_TOKENS = "input_tokens";

const renamed = (answer: Promise<Response>) =>
  answer.catch((error: unknown) => {
    throw inFieldNames(NAMES, error);
  });

/** Of what a chat is asked. */
const NAMES = {
  ...{ messages: "input", prompt: "input", system_prompt: "instructions", max_tokens: "max_output_tokens" },
  response_format: "text",
};

const unknownUrl = (rest: string) =>
  new ForecourtError("not_found", `Unknown request URL: /v1/responses/${rest}`.slice(0, 300));

async function createResponse(parts: OpenAiParts, call: Call, body: ResponseBody): Promise<Response> {
  const chosen = chosenModel(parts, body.model, "chat");
  const { previous_response_id, metadata, stream, background } = body;
  const { before, said, conversation } = saidIn(parts, call, body);
  if (conversation && !body.store)
    throw wrongField("store", "What is said in a conversation is kept: leave this out, or go on from no conversation");
  const begun = {
    ...{ ...chosen, inputs: [inputOf(body, [...before, ...said])] },
    ...{ isFollowed: stream, keepsPayload: body.store, isLeft: background },
  };
  const jobs = conversation
    ? await parts.conversations.takeTurn(conversation.id, said, (id) => beginJobs(parts, call, { ...begun, id }))
    : await beginJobs(parts, call, begun);
  const repeated = {
    background,
    ...(previous_response_id !== undefined && { previous_response_id }),
    ...(conversation && { conversation: { id: conversation.id } }),
    ...(metadata && { metadata }),
  };
  const [job] = jobs;
  if (job && stream) {
    const values = (signal: AbortSignal) => responseEvents(parts, { job, repeated, isLeft: background, signal });
    return await openAiStream({ ...parts, call, requestId: job.id, values });
  }
  if (job && background) return Response.json(responseOf(job, repeated));
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  return Response.json(done[0] && responseOf(done[0], repeated), { headers: answerHeaders(parts, done) });
}

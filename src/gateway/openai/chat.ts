// Chat completions: OpenAI's question, a job for each answer, OpenAI's answer at once or in chunks.
import type { Job } from "../../core/job.ts";
import type { ChatOutput } from "../../engine/generation/chat-fields.ts";
import type { Call } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { type ChatBody, chatInputOf, readChatBody } from "./chat-body.ts";
import { asksForFunctions } from "./chat-tools.ts";
import { chosenModel } from "./chosen-model.ts";
import { openAiStream } from "./event-stream.ts";
import { answerHeaders } from "./headers.ts";
import { newsOf } from "./news.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "./runs.ts";
import { sumOfUsage } from "./usage-words.ts";

export async function chatCompletions(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readChatBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "chat");
  const inputs = Array.from({ length: body.n }, (_, at) => chatInputOf(body, at));
  const jobs = await beginJobs(parts, call, { ...chosen, inputs, isFollowed: body.stream });
  if (body.stream) return await streamed(parts, call, { body, jobs });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const outputs = done.map(({ output }) => output as ChatOutput); // of the chat pipeline, which chosenModel saw to
  const answer = {
    ...headOf(jobs, body),
    object: "chat.completion",
    choices: outputs.map((output, index) => choiceOf(output, index, body)),
    usage: sumOfUsage(outputs),
  };
  return Response.json(answer, { headers: answerHeaders(parts, done) });
}

type Streamed = { body: ChatBody; jobs: Job[] };

async function streamed(parts: OpenAiParts, call: Call, given: Streamed): Promise<Response> {
  const requestId = given.jobs[0]?.id ?? "";
  return await openAiStream({
    ...parts,
    call,
    requestId,
    values: (signal) => chunksOf(parts, given, signal),
  });
}

async function* chunksOf({ jobs }: OpenAiParts, { body, jobs: begun }: Streamed, signal: AbortSignal) {
  const head = { ...headOf(begun, body), object: "chat.completion.chunk" };
  const includesUsage = body.stream_options?.include_usage ?? false;
  const usage = includesUsage ? { usage: null } : {};
  const outputs: ChatOutput[] = [];
  const chunk = (index: number, delta: object, more: object = {}) => ({
    ...head,
    choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }],
    ...usage,
  });
  for await (const { index, isFirst, text, reasoning, calls, logprobs, output } of newsOf(jobs, begun, signal)) {
    if (isFirst) yield chunk(index, { role: "assistant", content: "" });
    const scores = body.logprobs ? { logprobs: { content: logprobs, refusal: null } } : {};
    if (reasoning !== "") yield chunk(index, { reasoning_content: reasoning });
    if (text !== "" || logprobs.length > 0) yield chunk(index, { content: text }, scores);
    if (calls.length > 0) yield chunk(index, asksForFunctions(body) ? functionCall(calls) : { tool_calls: calls });
    if (!output) continue;
    outputs.push(output);
    yield chunk(index, {}, { finish_reason: finishOf(output, body) });
  }
  if (includesUsage && !signal.aborted) yield { ...head, choices: [], usage: sumOfUsage(outputs) };
}

const headOf = (jobs: Job[], { model }: ChatBody) => ({
  id: `chatcmpl-${jobs[0]?.id}`,
  created: Math.floor((jobs[0]?.createdAt ?? 0) / 1000),
  model,
});

function choiceOf({ output, reasoning, tool_calls: calls = [], ...rest }: ChatOutput, index: number, body: ChatBody) {
  const message = {
    role: "assistant",
    content: calls.length > 0 && output === "" ? null : output,
    refusal: null,
    annotations: [],
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls.length > 0 && (asksForFunctions(body) ? functionCall(calls) : { tool_calls: calls })),
  };
  const logprobs = body.logprobs ? { content: rest.logprobs ?? [], refusal: null } : null;
  return { index, message, logprobs, finish_reason: finishOf(rest, body) };
}

/** In the words of functions, which tools have replaced: at most one is called. */
const functionCall = ([call]: readonly { function: object }[]) => ({ function_call: call?.function });

const finishOf = ({ finish_reason: reason }: Pick<ChatOutput, "finish_reason">, body: ChatBody) =>
  reason === "tool_calls" && asksForFunctions(body) ? "function_call" : reason;

// Completions, the old endpoint: a text that goes on, without a chat template.
import type { Job } from "../../core/job.ts";
import type { ChatOutput } from "../../engine/generation/chat-fields.ts";
import type { Call } from "../fal/call.ts";
import { readJson } from "../read-json.ts";
import { type CompletionBody, completionInputOf, readCompletionBody } from "./chat-body.ts";
import { chosenModel } from "./chosen-model.ts";
import { openAiStream } from "./event-stream.ts";
import { answerHeaders } from "./headers.ts";
import { newsOf } from "./news.ts";
import { beginJobs, finishedJobs, type OpenAiParts } from "./runs.ts";
import { usageWords } from "./usage-words.ts";

type Logprobs = NonNullable<ChatOutput["logprobs"]>;
type Asked = { body: CompletionBody; prompts: string[]; jobs: Job[] };

export async function completions(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readCompletionBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "chat");
  const prompts = [body.prompt].flat();
  const inputs = prompts.flatMap((prompt) =>
    Array.from({ length: body.n }, (_, at) => completionInputOf(body, prompt, at)),
  );
  const jobs = await beginJobs(parts, call, { ...chosen, inputs, isFollowed: body.stream });
  const asked = { body, prompts, jobs };
  if (body.stream)
    return await openAiStream({
      ...parts,
      call,
      requestId: jobs[0]?.id ?? "",
      values: (signal) => chunksOf(parts, asked, signal),
    });
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const outputs = done.map(({ output }) => output as ChatOutput); // of the chat pipeline, which chosenModel saw to
  const choices = outputs.map(({ output, logprobs, finish_reason }, index) => ({
    text: `${body.echo ? promptOf(asked, index) : ""}${output}`,
    index,
    logprobs: body.logprobs === undefined ? null : oldLogprobs(logprobs ?? [], 0),
    finish_reason,
  }));
  return Response.json(
    { ...headOf(asked), choices, usage: usageOf(asked, outputs) },
    { headers: answerHeaders(parts, done) },
  );
}

async function* chunksOf({ jobs }: OpenAiParts, asked: Asked, signal: AbortSignal) {
  const { body, jobs: begun } = asked;
  const outputs: ChatOutput[] = [];
  const chunk = (index: number, text: string, more: object = {}) => ({
    ...headOf(asked),
    choices: [{ text, index, logprobs: null, finish_reason: null, ...more }],
  });
  for await (const { index, isFirst, at, text, logprobs, output } of newsOf(jobs, begun, signal)) {
    if (isFirst && body.echo) yield chunk(index, promptOf(asked, index));
    const scores = body.logprobs === undefined ? {} : { logprobs: oldLogprobs(logprobs, at) };
    if (text !== "" || logprobs.length > 0) yield chunk(index, text, scores);
    if (!output) continue;
    outputs.push(output);
    yield chunk(index, "", { finish_reason: output.finish_reason });
  }
  if (body.stream_options?.include_usage && !signal.aborted)
    yield { ...headOf(asked), choices: [], usage: usageOf(asked, outputs) };
}

const promptOf = ({ prompts, body }: Asked, index: number) => prompts[Math.floor(index / body.n)] ?? "";

const headOf = ({ body, jobs }: Asked) => ({
  id: `cmpl-${jobs[0]?.id}`,
  object: "text_completion",
  created: Math.floor((jobs[0]?.createdAt ?? 0) / 1000),
  model: body.model,
});

/** Every prompt counts once, however many answers it has. */
function usageOf({ body }: Asked, outputs: readonly ChatOutput[]) {
  const sum = (of: (usage: ChatOutput["usage"]) => number) => outputs.reduce((all, { usage }) => all + of(usage), 0);
  return usageWords({
    prompt: sum(({ prompt_tokens }) => prompt_tokens) / body.n,
    completion: sum(({ completion_tokens }) => completion_tokens),
    cached: Math.floor(sum(({ cached_tokens }) => cached_tokens) / body.n),
  });
}

/** Parallel lists, as this endpoint had them; offsets count characters of the answer. */
function oldLogprobs(scores: Logprobs, offset: number) {
  let at = offset;
  const offsets = scores.map(({ token }) => {
    const here = at;
    at += token.length;
    return here;
  });
  return {
    tokens: scores.map(({ token }) => token),
    token_logprobs: scores.map(({ logprob }) => logprob),
    top_logprobs: scores.map(({ top_logprobs }) => Object.fromEntries(top_logprobs.map((t) => [t.token, t.logprob]))),
    text_offset: offsets,
  };
}

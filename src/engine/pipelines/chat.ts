// Answers of a language model: chat, or a text that goes on.
import { definePipeline, type ImageCodec, type Step, type Task } from "../../core/pipeline.ts";
import { type Answer, type AnswerParts, createAnswer } from "../generation/answer.ts";
import { type ChatInput, type ChatOutput, chatInput, chatOutput } from "../generation/chat-fields.ts";
import { type LanguageModel, loadLanguageModel } from "../generation/language-model.ts";
import { mergeSteps } from "../generation/merge-steps.ts";
import { mostTokens, NO_TOKENS } from "../generation/most-tokens.ts";
import { type Prompt, promptOf } from "../generation/prompt.ts";
import { createToolWatch } from "../generation/tools/tool-calls.ts";
import { dialectOf } from "../generation/tools/tool-dialect.ts";
import { constraintOf } from "../generation/wanted-shape.ts";
import { beyondOf } from "../sight/beyond.ts";
import { lookAtAll, type Picture, seeing } from "../sight/pictures.ts";

export const chat = definePipeline({
  summary: "Answers a conversation, or lets a text go on, with a language model.",
  counts: ["input_tokens", "output_tokens", "tokens"],
  input: chatInput,
  output: chatOutput,
  estimate: mostTokens,
  joins: true,
  async load(assets) {
    const model = await loadLanguageModel(assets);
    return (tasks, signal) => mergeSteps(tasks.map((task) => answerTask(task, { model, signal, codec: assets.codec })));
  },
});

type Around = { model: LanguageModel; signal: AbortSignal };
type AroundTask = Around & { codec: ImageCodec };

async function* answerTask(task: Task<ChatInput>, around: AroundTask): AsyncGenerator<Step<ChatOutput>> {
  const { model, signal, codec } = around;
  const { sight } = model;
  const looked = sight ? await lookAtAll({ task, codec, sight, signal }) : [];
  const prompt = promptOf(task.input, model, looked);
  if (task.input.max_tokens === 0) {
    yield { type: "output", value: countOf(prompt), units: NO_TOKENS };
    return;
  }
  const left = new AbortController();
  const whole = AbortSignal.any([signal, left.signal]);
  try {
    if (looked.length > 0) yield { type: "progress", at: 0, of: prompt.room };
    const answer = beginAnswer(task, { model, prompt, pictures: await seenOf(prompt, looked, around) });
    for await (const at of grow(answer, { model, signal: whole })) {
      if (at > 0 && task.wantsPartials) yield { type: "partial", value: answer.partial(), isWhole: true };
      else if (at % STEPS_TOLD === 0) yield { type: "progress", at, of: prompt.room };
    }
    const value = answer.output();
    yield { type: "output", value, units: unitsOf(value) };
  } finally {
    // Who wants no more of it makes room for others.
    left.abort(new DOMException("nobody reads on", "AbortError"));
  }
}

/** Nothing was read: it costs no tokens. */
const countOf = ({ tokens: { length } }: Prompt): ChatOutput => ({
  output: "",
  partial: false,
  finish_reason: "length",
  usage: { prompt_tokens: length, completion_tokens: 0, total_tokens: length, cached_tokens: 0 },
});

/** Nothing without pictures. */
async function seenOf(prompt: Prompt, looked: readonly Picture[], { model, signal }: Around) {
  if (looked.length === 0 || !model.sight) return undefined;
  const pictures = [];
  for (const look of looked) pictures.push({ look, seen: await seeing(look, { seen: model.seen, signal }) });
  const mark = model.tokenizer.idOf(model.sight.mark) ?? -1;
  return beyondOf(prompt.tokens, { mark, pictures });
}

type Begun = { model: LanguageModel; prompt: Prompt; pictures: AnswerParts["pictures"] };

function beginAnswer({ input, log }: Task<ChatInput>, { model, prompt, pictures }: Begun) {
  const { tokenizer, ends, constraints, template } = model;
  const dialect = dialectOf(template?.source);
  const names = new Set(input.tools?.map(({ function: { name } }) => name));
  const mayCall = !input.raw && names.size > 0 && input.tool_choice !== "none";
  const most = input.parallel_tool_calls ? {} : { most: 1 };
  const tools = mayCall ? createToolWatch({ marks: dialect.marks, names, newId: newCallId, ...most }) : undefined;
  const constraint = constraintOf(input, { constraints, dialect, log });
  return createAnswer({ input, prompt, pictures, tokenizer, ends, constraint, tools });
}

const newCallId = () => `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;

/** Who only waits for the end is told of every so many tokens. */
const STEPS_TOLD = 16;

/**
 * Yields how many tokens there are, whenever there are more; several at once if they come faster than they are read. Zero
 * while a long prompt is read: a sign of life.
 */
async function* grow(answer: Answer, { model, signal }: Around): AsyncGenerator<number> {
  let news = Promise.withResolvers<void>();
  let isOver = false;
  let pieces = 0;
  const reading = () => {
    pieces++;
    news.resolve();
  };
  const next: Answer["next"] = (logits) => {
    const token = answer.next(logits);
    news.resolve();
    return token;
  };
  const began = (cached: number) => {
    answer.cached = cached;
  };
  const done = model.loop
    .run({ prompt: answer.prompt, beyond: answer.beyond, next }, { signal, began, reading })
    .finally(() => {
      isOver = true;
      news.resolve();
    });
  // Its failure is met below, after the last news.
  done.catch(() => {});
  let seen = 0;
  while (!isOver) {
    await news.promise;
    news = Promise.withResolvers<void>();
    const at = answer.count + pieces;
    if (at > seen && !isOver) yield answer.count;
    seen = at;
  }
  await done;
}

const unitsOf = ({ usage: { prompt_tokens, completion_tokens, total_tokens } }: ChatOutput) => ({
  input_tokens: prompt_tokens,
  output_tokens: completion_tokens,
  tokens: total_tokens,
});

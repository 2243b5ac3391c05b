// The body of a chat completion: OpenAI's fields, translated to a language model's input.
import { parse, type Static, Type } from "../../core/schema.ts";
import { type ChatInput, chatInput } from "../../engine/generation/chat-fields.ts";

const { messages, logit_bias, response_format, tools, tool_choice, parallel_tool_calls, seed } = chatInput.properties;

/** What both kinds of completion share. Defaults are the model's own. */
const common = {
  model: Type.String({ minLength: 1, description: "Id or alias of a language model; GET /v1/models lists them" }),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  top_k: Type.Optional(Type.Integer({ minimum: 0 })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  repetition_penalty: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  logit_bias,
  seed,
  stop: Type.Optional(
    Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { maxItems: 16 })]),
  ),
  n: Type.Integer({ default: 1, minimum: 1, maximum: 16, description: "Answers; each is a request of its own" }),
  stream: Type.Boolean({ default: false }),
  stream_options: Type.Optional(Type.Object({ include_usage: Type.Boolean({ default: false }) })),
  max_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
};

export const chatBody = Type.Object({
  ...common,
  messages: Type.Required(Type.Object({ messages })).properties.messages,
  max_completion_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  logprobs: Type.Boolean({ default: false }),
  top_logprobs: Type.Integer({ default: 0, minimum: 0, maximum: 20 }),
  response_format,
  tools,
  tool_choice,
  parallel_tool_calls,
});

export const completionBody = Type.Object({
  ...common,
  prompt: Type.Union(
    [Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 64 })],
    {
      description: "One text that is to go on, or several",
    },
  ),
  echo: Type.Boolean({ default: false, description: "Answer the prompt too, before what follows it" }),
  logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 5, description: "Likeliest tokens at each place" })),
  suffix: Type.Optional(Type.Null({ description: "Texts before a suffix are not supported" })),
});

export type ChatBody = Static<typeof chatBody>;

export type CompletionBody = Static<typeof completionBody>;

export const readChatBody = (body: unknown): ChatBody => parse(chatBody, body);
export const readCompletionBody = (body: unknown): CompletionBody => parse(completionBody, body);

type Common = Omit<CompletionBody, "prompt" | "echo" | "logprobs" | "suffix">;

/** The fields that mean the same on both sides, of answer number `at`. */
export function commonInput({ stop, seed, ...body }: Common, at: number): Partial<ChatInput> {
  const { model: _, n: _n, stream: _s, stream_options: _o, ...same } = body;
  return {
    ...same,
    ...(seed !== undefined && { seed: (seed + at) % 2 ** 32 }),
    ...(stop !== undefined && { stop: [stop].flat() }),
  };
}

export function chatInputOf(body: ChatBody, at: number): Record<string, unknown> {
  const { messages, max_completion_tokens, logprobs, top_logprobs, ...other } = body;
  const { response_format, tools, tool_choice, parallel_tool_calls, ...rest } = other;
  const most = max_completion_tokens ?? body.max_tokens;
  return {
    ...commonInput(rest, at),
    ...(most !== undefined && { max_tokens: most }),
    ...{ messages, logprobs, top_logprobs, response_format, tools, tool_choice, parallel_tool_calls },
    reasoning: true,
  };
}

export function completionInputOf(body: CompletionBody, prompt: string, at: number): Record<string, unknown> {
  const { prompt: _, echo: _e, suffix: _s, logprobs, ...rest } = body;
  const scored = logprobs !== undefined && { logprobs: true, top_logprobs: logprobs };
  return { ...commonInput(rest, at), prompt, raw: true, max_tokens: body.max_tokens ?? COMPLETION_TOKENS, ...scored };
}

/** OpenAI's default of this old endpoint. */
const COMPLETION_TOKENS = 16;

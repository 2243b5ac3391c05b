// The body of a chat completion: OpenAI's fields, translated to a language model's input.
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { type ChatInput, chatInput } from "../../engine/generation/chat-fields.ts";
import { chancesOf } from "./chances.ts";
import { chatMessagesOf, messages } from "./chat-messages.ts";
import { asksForFunctions, toolFields, toolsOf } from "./chat-tools.ts";
import { moderation, nothing } from "./nullable.ts";
import { formatOf, PLAIN_FORMATS, schemaFields } from "./text-format.ts";

const { logit_bias, parallel_tool_calls } = chatInput.properties;

/** What both kinds of completion share. Defaults are the model's own. */
const common = {
  model: Type.String({ minLength: 1, description: "Id or alias of a language model; GET /v1/models lists them" }),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: "0: the likeliest token, always" })),
  top_k: Type.Optional(Type.Integer({ minimum: 0 })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  repetition_penalty: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  logit_bias,
  seed: Type.Optional(Type.Integer({ description: "Of it the last 32 bits count" })),
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
  messages,
  max_completion_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  logprobs: Type.Boolean({ default: false }),
  top_logprobs: Type.Integer({ default: 0, minimum: 0, maximum: 20 }),
  response_format: Type.Optional(
    Type.Union([
      ...PLAIN_FORMATS,
      Type.Object({ type: Type.Literal("json_schema"), json_schema: Type.Object(schemaFields) }),
    ]),
  ),
  ...toolFields,
  parallel_tool_calls,
  modalities: Type.Optional(
    Type.Array(choice(["text"]), { description: "Language models answer texts; /v1/audio/speech speaks them" }),
  ),
  moderation,
  web_search_options: nothing("There is no web search here"),
});

export const completionBody = Type.Object({
  ...common,
  prompt: Type.Union(
    [Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 64 })],
    {
      description: "One text that is to go on, or several",
    },
  ),
  echo: Type.Boolean({
    default: false,
    description: "Answer the prompt too, before what follows it; not with log probabilities: the prompt has none",
  }),
  best_of: Type.Optional(Type.Integer({ minimum: 1, description: "No more than `n`: answers are not chosen from" })),
  logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 5, description: "Likeliest tokens at each place" })),
  suffix: Type.Optional(Type.Null({ description: "Texts before a suffix are not supported" })),
});

export type ChatBody = Static<typeof chatBody>;

export type CompletionBody = Static<typeof completionBody>;

export function readChatBody(given: unknown): ChatBody {
  const body = parse(chatBody, given);
  if (body.top_logprobs > 0 && !body.logprobs) throw wrongField("top_logprobs", "It needs logprobs: true");
  return body;
}

export function readCompletionBody(given: unknown): CompletionBody {
  const body = parse(completionBody, given);
  if (body.echo && body.logprobs !== undefined)
    throw wrongField("logprobs", "Log probabilities of the prompt are not computed here: leave echo or logprobs away");
  if ((body.best_of ?? 0) > body.n)
    throw wrongField("best_of", "The best of several answers is not looked for here: ask for all of them with n");
  return body;
}

type Common = Omit<CompletionBody, "prompt" | "echo" | "best_of" | "logprobs" | "suffix">;

/** The fields that mean the same on both sides, of answer number `at`. */
function commonInput({ stop, seed, top_p, ...body }: Common, at: number): Partial<ChatInput> {
  const { model: _, n: _n, stream: _s, stream_options: _o, ...same } = body;
  return {
    ...same,
    ...chancesOf({ seed, top_p }, at),
    ...(stop !== undefined && { stop: [stop].flat() }),
  };
}

/** Throws `invalid_input` for messages that say nothing. */
export function chatInputOf(body: ChatBody, at: number): Record<string, unknown> {
  const { messages: said, max_completion_tokens, logprobs, top_logprobs, response_format: format, ...other } = body;
  const {
    tools,
    tool_choice,
    functions,
    function_call,
    modalities: _,
    moderation: _m,
    web_search_options: _w,
    ...rest
  } = other;
  const { parallel_tool_calls, ...shared } = rest;
  const asked = { ...(tools && { tools }), ...(tool_choice && { tool_choice }), ...(functions && { functions }) };
  const most = max_completion_tokens ?? body.max_tokens;
  return {
    ...commonInput(shared, at),
    ...(most !== undefined && { max_tokens: most }),
    ...{ messages: chatMessagesOf(said), logprobs, top_logprobs },
    ...(format && {
      response_format: formatOf(format.type === "json_schema" ? { ...format.json_schema, type: format.type } : format),
    }),
    ...toolsOf({ ...asked, ...(function_call && { function_call }) }),
    parallel_tool_calls: parallel_tool_calls && !asksForFunctions(asked),
    reasoning: true,
  };
}

export function completionInputOf(body: CompletionBody, prompt: string, at: number): Record<string, unknown> {
  const { prompt: _, echo: _e, best_of: _b, suffix: _s, logprobs, ...rest } = body;
  const scored = logprobs !== undefined && { logprobs: true, top_logprobs: logprobs };
  return { ...commonInput(rest, at), prompt, raw: true, max_tokens: body.max_tokens ?? COMPLETION_TOKENS, ...scored };
}

/** OpenAI's default of this old endpoint. */
const COMPLETION_TOKENS = 16;

// What a language model is asked and what it answers: fal's names where fal has one, OpenAI's for the rest.
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";

export const textPart = Type.Object({ type: Type.Literal("text"), text: Type.String() });
export const imagePart = Type.Object({
  type: Type.Literal("image_url"),
  image_url: Type.Object({
    url: mediaUrl("image", "Picture the message speaks of; URL or data URI"),
    detail: Type.Optional(
      choice(["auto", "low", "high"], { description: "low: with as few tokens as the model can do with" }),
    ),
  }),
});

/** A call of a tool that the model asks for; `arguments` is JSON text, as OpenAI's. */
export const toolCall = Type.Object({
  id: Type.String(),
  type: Type.Literal("function"),
  function: Type.Object({ name: Type.String(), arguments: Type.String() }),
});

const chatMessage = Type.Object({
  role: choice(["system", "developer", "user", "assistant", "tool"], { description: "Who says it" }),
  content: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.Union([textPart, imagePart])), Type.Null()], {
      description: "Text, or parts of text and pictures; absent in an assistant's message of tool calls alone",
    }),
  ),
  name: Type.Optional(Type.String()),
  tool_calls: Type.Optional(Type.Array(toolCall)),
  tool_call_id: Type.Optional(Type.String({ description: "Of a tool's message: the call that it answers" })),
});

const tool = Type.Object({
  type: Type.Literal("function"),
  function: Type.Object({
    name: Type.String({ pattern: "^[\\w-]{1,64}$" }),
    description: Type.Optional(Type.String()),
    parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema" })),
    strict: Type.Optional(Type.Boolean()),
  }),
});

const responseFormat = Type.Union([
  Type.Object({ type: Type.Literal("text") }),
  Type.Object({ type: Type.Literal("json_object") }),
  Type.Object({
    type: Type.Literal("json_schema"),
    json_schema: Type.Object({
      name: Type.String(),
      description: Type.Optional(Type.String()),
      schema: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      strict: Type.Optional(Type.Boolean()),
    }),
  }),
]);

const toolChoice = Type.Union([
  choice(["none", "auto", "required"]),
  Type.Object({ type: Type.Literal("function"), function: Type.Object({ name: Type.String() }) }),
]);

export const chatInput = Type.Object({
  prompt: Type.Optional(
    Type.String({ description: "What the user says: short for one user message", ui: { important: true } }),
  ),
  image_url: Type.Optional(mediaUrl("image", "Picture that `prompt` speaks of, by models that read pictures")),
  system_prompt: Type.Optional(Type.String({ description: "How to behave: short for a first system message" })),
  messages: Type.Optional(Type.Array(chatMessage, { description: "The whole conversation, instead of `prompt`" })),
  raw: Type.Boolean({ default: false, description: "Continue `prompt` as it stands, without a chat template" }),
  max_tokens: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: "Most tokens of the answer; 0: the prompt's tokens are counted, and no more",
    }),
  ),
  temperature: Type.Number({ default: 1, minimum: 0, maximum: 2, description: "0 = the likeliest token, always" }),
  top_p: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 1 }),
  top_k: Type.Integer({ default: 0, minimum: 0, description: "0 = no bound" }),
  min_p: Type.Number({ default: 0, minimum: 0, maximum: 1 }),
  repetition_penalty: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 10 }),
  presence_penalty: Type.Number({ default: 0, minimum: -2, maximum: 2 }),
  frequency_penalty: Type.Number({ default: 0, minimum: -2, maximum: 2 }),
  logit_bias: Type.Optional(Type.Record(Type.String(), Type.Number({ minimum: -100, maximum: 100 }))),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
  stop: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 16 })),
  logprobs: Type.Boolean({ default: false, description: "Log probability of each token of the answer" }),
  top_logprobs: Type.Integer({ default: 0, minimum: 0, maximum: 20 }),
  response_format: Type.Optional(responseFormat),
  tools: Type.Optional(Type.Array(tool, { maxItems: 128 })),
  tool_choice: Type.Optional(toolChoice),
  parallel_tool_calls: Type.Boolean({ default: true, description: "Several calls in one answer, by models that can" }),
  reasoning: Type.Boolean({ default: false, description: "Answer the model's thoughts too, where it has them" }),
});

/** Log probability (natural) of one token; `bytes` are its UTF-8. */
const tokenLogprob = Type.Object({ token: Type.String(), logprob: Type.Number(), bytes: Type.Array(Type.Integer()) });
const chosenLogprob = Type.Composite([tokenLogprob, Type.Object({ top_logprobs: Type.Array(tokenLogprob) })]);

const usage = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  cached_tokens: Type.Integer({ description: "Of the prompt: already computed by an earlier turn" }),
});

export const chatOutput = Type.Object({
  output: Type.String({ description: "The answer" }),
  reasoning: Type.Optional(Type.String({ description: "The model's thoughts, if asked for" })),
  /** In a stream: false in the last event only. */
  partial: Type.Boolean(),
  tool_calls: Type.Optional(Type.Array(toolCall)),
  finish_reason: choice(["stop", "length", "tool_calls"]),
  logprobs: Type.Optional(Type.Array(chosenLogprob)),
  usage,
});

export type ChatInput = Static<typeof chatInput>;
export type ChatMessage = Static<typeof chatMessage>;
export type ChatOutput = Static<typeof chatOutput>;

/**
 * A partial step: all of the answer so far (not what is new, so that a step may be dropped or merged without harm). Text that
 * may yet turn out to be a stop string or a tool call is held back; arguments of what is a call for certain are told as they come. Log probabilities, which are long, are those of the tokens
 * since the step before; `logprobs_from` says how many came before them.
 */
export type ChatPartial = Pick<ChatOutput, "output" | "reasoning" | "tool_calls" | "logprobs"> & {
  partial: true;
  logprobs_from?: number;
};

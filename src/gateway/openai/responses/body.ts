// The body of a response, OpenAI's newer way to ask a language model: items in, items out.
import { choice, parse, type Static, Type } from "../../../core/schema.ts";
import { chatInput } from "../../../engine/generation/chat-fields.ts";
import { functionFields, MODES } from "../chat-tools.ts";
import { moderation, nothing, nullable } from "../nullable.ts";
import { PLAIN_FORMATS, schemaFields } from "../text-format.ts";

const textPart = Type.Object({ type: choice(["input_text", "output_text", "text"]), text: Type.String() });
const detail = choice(["auto", "low", "high"], { description: "low: with as few tokens as the model can do with" });
const imagePart = Type.Object({
  type: Type.Literal("input_image"),
  image_url: Type.String({ minLength: 1, description: "URL or data URI" }),
  detail: Type.Optional(detail),
});
const refusalPart = Type.Object({ type: Type.Literal("refusal"), refusal: Type.String() });
const parts = Type.Array(Type.Union([textPart, imagePart, refusalPart]));

const message = Type.Object({
  type: Type.Optional(Type.Literal("message")),
  role: choice(["system", "developer", "user", "assistant"], { description: "Who says it" }),
  content: Type.Union([Type.String(), parts]),
});
const functionCall = Type.Object({
  type: Type.Literal("function_call"),
  call_id: Type.String({ minLength: 1 }),
  name: Type.String({ minLength: 1 }),
  arguments: Type.String({ description: "JSON text" }),
});
const functionOutput = Type.Object({
  type: Type.Literal("function_call_output"),
  call_id: Type.String({ minLength: 1 }),
  output: Type.Union([Type.String(), parts]),
});
/** Thoughts of an earlier answer; models are not shown them again. */
const reasoning = Type.Object({ type: Type.Literal("reasoning") });

/** Stands for an item of a response that is kept: what it said, or what it was asked. */
const reference = Type.Object({ type: Type.Literal("item_reference"), id: Type.String({ minLength: 1 }) });

export const told = [message, functionCall, functionOutput, reasoning];
const toldItem = Type.Object({ item: Type.Union(told) });

const tool = Type.Object({
  type: Type.Literal("function", { description: "Tools that OpenAI runs itself (web_search, ...) are not here" }),
  ...functionFields,
  strict: nullable(Type.Boolean()),
});

const { schema: _, ...named } = schemaFields;
const format = Type.Union([
  ...PLAIN_FORMATS,
  Type.Object({
    ...{ type: Type.Literal("json_schema"), ...named },
    schema: Type.Record(Type.String(), Type.Unknown()),
  }),
]);

const toolChoice = Type.Union([
  choice(MODES),
  Type.Object({ type: Type.Literal("function"), name: Type.String() }),
  Type.Object({
    type: Type.Literal("allowed_tools"),
    mode: choice(["auto", "required"]),
    tools: Type.Array(Type.Object({ type: Type.Literal("function"), name: Type.String() }), { minItems: 1 }),
  }),
]);

const { temperature, presence_penalty, frequency_penalty, parallel_tool_calls } = chatInput.properties;

export const responseBody = Type.Object({
  model: Type.String({ minLength: 1, description: "Id or alias of a language model; GET /v1/models lists them" }),
  input: Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.Union([...told, reference]), { minItems: 1 })], {
    description: "What the user says, or items of a conversation",
  }),
  instructions: Type.Optional(Type.String({ description: "How to behave; not taken over from an earlier response" })),
  previous_response_id: Type.Optional(
    Type.String({ description: "Response whose conversation goes on; its input and output must still be kept" }),
  ),
  max_output_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  temperature: Type.Optional(Type.Number({ minimum: temperature.minimum ?? 0, maximum: temperature.maximum ?? 2 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: "0: the likeliest token, always" })),
  presence_penalty: Type.Optional(
    Type.Number({ minimum: presence_penalty.minimum ?? -2, maximum: presence_penalty.maximum ?? 2 }),
  ),
  frequency_penalty: Type.Optional(
    Type.Number({ minimum: frequency_penalty.minimum ?? -2, maximum: frequency_penalty.maximum ?? 2 }),
  ),
  seed: Type.Optional(Type.Integer({ description: "Of it the last 32 bits count" })),
  top_logprobs: Type.Integer({ default: 0, minimum: 0, maximum: 20 }),
  include: Type.Optional(
    Type.Array(Type.String(), { description: "Of its values `message.output_text.logprobs` means something here" }),
  ),
  text: Type.Optional(Type.Object({ format: nullable(format) })),
  tools: Type.Optional(Type.Array(tool, { maxItems: 128 })),
  tool_choice: Type.Optional(toolChoice),
  parallel_tool_calls,
  stream: Type.Boolean({ default: false }),
  background: Type.Boolean({
    default: false,
    description: "It goes on without its caller, also with `stream`; GET /v1/responses/{id} tells the rest",
  }),
  store: Type.Boolean({ default: true, description: "false: input and output are forgotten soon after the end" }),
  conversation: Type.Optional(
    Type.Union([Type.String({ minLength: 1 }), Type.Object({ id: Type.String({ minLength: 1 }) })], {
      description:
        "Conversation that goes on, by its id: its items come before the input, and this response's are added",
    }),
  ),
  prompt: nothing("There are no stored prompts here: give input and instructions"),
  moderation,
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
});

const { input, ...optional } = Type.Pick(responseBody, [
  ...(["model", "input", "instructions", "previous_response_id", "conversation", "prompt"] as const),
  ...(["tools", "tool_choice", "parallel_tool_calls", "text"] as const),
]).properties;
/** What of a response is read: its tokens are counted. */
export const inputTokensBody = Type.Object({ ...optional, input: Type.Optional(input) });

export type ResponseBody = Static<typeof responseBody>;
export type InputItem = Static<typeof toldItem>["item"];
export type TextFormat = Static<typeof format>;

/** An item as a response tells it, as one that goes in again. */
export const readItem = (item: unknown): InputItem => parse(toldItem, { item }).item;

export type InputTokensBody = Static<typeof inputTokensBody>;

export const readInputTokensBody = (body: unknown): InputTokensBody => parse(inputTokensBody, body);

export const readResponseBody = (body: unknown): ResponseBody => parse(responseBody, body);

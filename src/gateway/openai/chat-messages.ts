// Messages of a conversation as OpenAI's clients write them, older forms included, translated to a language model's.
import { choice, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { type ChatMessage, imagePart, textPart, toolCall } from "../../engine/generation/chat-fields.ts";
import { nullable, present } from "./nullable.ts";

const refusalPart = Type.Object({ type: Type.Literal("refusal"), refusal: Type.String() });

export const messages = Type.Array(
  Type.Object({
    role: choice(["system", "developer", "user", "assistant", "tool", "function"], { description: "Who says it" }),
    content: nullable(Type.Union([Type.String(), Type.Array(Type.Union([textPart, imagePart, refusalPart]))])),
    refusal: nullable(Type.String()),
    name: nullable(Type.String()),
    tool_calls: nullable(Type.Array(toolCall)),
    tool_call_id: nullable(Type.String({ description: "Of a tool's message: the call that it answers" })),
    function_call: nullable(Type.Object({ name: Type.String(), arguments: Type.String() })),
  }),
  { minItems: 1, description: "The whole conversation" },
);

type Message = Static<typeof messages>[number];
type Part = Exclude<Message["content"], string | null | undefined>[number];

/** Throws `invalid_input` for messages that say nothing. */
export const chatMessagesOf = (all: readonly Message[]): ChatMessage[] =>
  all.map((message, at) => chatMessageOf(message, at, all));

function chatMessageOf(message: Message, at: number, all: readonly Message[]): ChatMessage {
  const { role, content, refusal, function_call: called, ...rest } = message;
  const { tool_calls = [], ...others } = present(rest);
  if (role !== "assistant" && (content === undefined || content === null)) throw saysNothing(at);
  const calls = [...tool_calls, ...(called ? [callOf(called, at)] : [])];
  const answered = role === "function" ? lastCall(all.slice(0, at)) : undefined;
  return {
    ...others,
    role: role === "function" ? "tool" : role,
    content: typeof content === "string" ? content : (content?.map(partOf) ?? refusal ?? null),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(answered !== undefined && { tool_call_id: answered }),
  };
}

/** Functions, which tools have replaced, were called by name alone. */
const callId = (at: number) => `call_${at}`;
const callOf = (called: { name: string; arguments: string }, at: number) => ({
  ...{ id: callId(at), type: "function" as const, function: called },
});
function lastCall(before: readonly Message[]): string | undefined {
  const at = before.findLastIndex(({ function_call: called }) => called);
  return at < 0 ? undefined : callId(at);
}

const partOf = (part: Part) => (part.type === "refusal" ? { type: "text" as const, text: part.refusal } : part);

const saysNothing = (at: number) =>
  wrongField(["messages", at, "content"], "Field required: a text, or parts of text and pictures", "missing");

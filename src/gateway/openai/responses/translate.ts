// Items of a response as messages of a chat, and back: what a job's input holds in one form is told in the other.
import type { ChatInput, ChatMessage, ChatOutput } from "../../../engine/generation/chat-fields.ts";
import { chancesOf } from "../chances.ts";
import { allowedOf, toolOf } from "../chat-tools.ts";
import { present } from "../nullable.ts";
import { formatOf } from "../text-format.ts";
import type { InputItem, ResponseBody, TextFormat } from "./body.ts";

const WANTS_LOGPROBS = "message.output_text.logprobs";

type Asked = { [Field in Exclude<keyof ResponseBody, "model" | "input">]?: ResponseBody[Field] | undefined };

/** The input of a language model, which `said` is put to. */
export function inputOf(body: Asked, said: readonly ChatMessage[]): Record<string, unknown> {
  const { instructions, max_output_tokens, text, ...rest } = body;
  const { temperature, presence_penalty, frequency_penalty, parallel_tool_calls, top_logprobs } = rest;
  const wantsLogprobs = (top_logprobs ?? 0) > 0 || body.include?.includes(WANTS_LOGPROBS);
  return present({
    ...{ temperature, presence_penalty, frequency_penalty, parallel_tool_calls },
    ...chancesOf(body),
    messages: said,
    system_prompt: instructions,
    max_tokens: max_output_tokens,
    response_format: text?.format && formatOf(text.format),
    ...toolsOf(body),
    ...(wantsLogprobs && { logprobs: true, top_logprobs }),
    reasoning: true,
  });
}

function toolsOf({ tools = [], tool_choice: choice }: Asked) {
  const all = tools.map(({ type: _, ...called }) => toolOf(called));
  if (typeof choice !== "object") return { tools: all.length > 0 ? all : undefined, tool_choice: choice };
  if (choice.type === "function")
    return { tools: all, tool_choice: { type: choice.type, function: { name: choice.name } } };
  const { mode, tools: allowed } = choice;
  return allowedOf(
    all,
    mode,
    allowed.map(({ name }) => name),
  );
}

/** The whole conversation of a job that has ended, its answer included. */
export function conversationOf({ messages, prompt }: ChatInput, output: ChatOutput): ChatMessage[] {
  const { tool_calls } = output;
  const said = messages ?? [{ role: "user" as const, content: prompt ?? "" }];
  return [...said, { role: "assistant", content: output.output, ...(tool_calls && { tool_calls }) }];
}

export const messagesOf = (items: readonly InputItem[]): ChatMessage[] => items.reduce<ChatMessage[]>(withItem, []);

/** Calls follow the message that they belong to: chat keeps both in one. */
function withItem(said: ChatMessage[], item: InputItem): ChatMessage[] {
  if ("role" in item) return [...said, { role: item.role, content: contentOf(item.content) }];
  if (item.type === "reasoning") return said;
  if (item.type === "function_call_output")
    return [...said, { role: "tool", content: contentOf(item.output), tool_call_id: item.call_id }];
  const call = {
    id: item.call_id,
    type: "function" as const,
    function: { name: item.name, arguments: item.arguments },
  };
  const last = said.at(-1);
  if (last?.role !== "assistant") return [...said, { role: "assistant", content: null, tool_calls: [call] }];
  return [...said.slice(0, -1), { ...last, tool_calls: [...(last.tool_calls ?? []), call] }];
}

type Content = Extract<InputItem, { role: string }>["content"];

function contentOf(content: Content): NonNullable<ChatMessage["content"]> {
  if (typeof content === "string") return content;
  return content.map((part) =>
    part.type === "input_image"
      ? { type: "image_url" as const, image_url: { url: part.image_url, ...(part.detail && { detail: part.detail }) } }
      : { type: "text" as const, text: part.type === "refusal" ? part.refusal : part.text },
  );
}

export function textFormat(format: ChatInput["response_format"]): TextFormat {
  if (!format) return { type: "text" };
  if (format.type !== "json_schema") return format;
  const { name, schema = {}, description, strict } = format.json_schema;
  return {
    type: "json_schema",
    ...{ name, schema },
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
  };
}

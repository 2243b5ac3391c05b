// A conversation as chat templates read it, from a job's input.
import { ForecourtError } from "../../core/errors.ts";
import type { ChatInput, ChatMessage } from "./chat-fields.ts";

export type TemplatePart = { type: "text"; text: string } | { type: "image" };

/** As transformers hands it to a template; tool calls' arguments are values, not JSON text. */
export type TemplateMessage = { role: string; content: string | TemplatePart[] | null; [field: string]: unknown };

/** `sees`: for a model that reads pictures, whose templates take parts. Throws `invalid_input`, with the field. */
export function conversationOf(input: ChatInput, { sees = false }: { sees?: boolean } = {}): TemplateMessage[] {
  const { prompt, image_url: url, messages, system_prompt: system } = input;
  if (prompt === undefined && (messages === undefined || messages.length === 0))
    throw wrong(["prompt"], "Either prompt or messages must say something", "missing");
  if (prompt !== undefined && messages !== undefined)
    throw wrong(["messages"], "prompt and messages cannot both be given", "value_error");
  if (url !== undefined && messages !== undefined)
    throw wrong(["image_url"], "Beside messages, pictures are given in these", "value_error");
  if (url !== undefined && !sees) throw wrong(["image_url"], NO_PICTURES, "value_error");
  const shown: TemplatePart[] = [{ type: "image" }, { type: "text", text: prompt ?? "" }];
  const said = messages?.map((message, at) => messageOf(message, at, sees)) ?? [
    { role: "user", content: url === undefined ? (prompt ?? "") : shown },
  ];
  const all = system === undefined ? said : [{ role: "system", content: system }, ...said];
  return sees ? all.map((message) => ({ ...message, content: partsOf(message.content) })) : all;
}

const NO_PICTURES = "This model reads text only, no pictures";

const partsOf = (content: TemplateMessage["content"]): TemplatePart[] =>
  Array.isArray(content) ? content : [{ type: "text", text: content ?? "" }];

function messageOf(message: ChatMessage, at: number, sees: boolean): TemplateMessage {
  const { role, content, name, tool_calls, tool_call_id } = message;
  return {
    role: role === "developer" ? "system" : role,
    content: sees && Array.isArray(content) ? content.map(partOf) : textOf(content, at),
    ...(name !== undefined && { name }),
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(tool_calls &&
      tool_calls.length > 0 && {
        tool_calls: tool_calls.map((call) => ({ ...call, function: calledOf(call.function) })),
      }),
  };
}

type Part = Exclude<ChatMessage["content"], string | null | undefined>[number];
const partOf = (part: Part): TemplatePart => (part.type === "text" ? part : { type: "image" });

function textOf(content: ChatMessage["content"], at: number): string | null {
  if (typeof content === "string") return content;
  if (!content) return null;
  return content
    .map((part, index) => {
      if (part.type === "text") return part.text;
      throw wrong(["messages", at, "content", index], NO_PICTURES, "value_error");
    })
    .join("");
}

function calledOf({ name, arguments: text }: { name: string; arguments: string }) {
  try {
    return { name, arguments: JSON.parse(text) as unknown };
  } catch {
    // What a model wrote may be no JSON; templates print a string as it is.
    return { name, arguments: text };
  }
}

export function wrong(path: (string | number)[], msg: string, type: string): ForecourtError {
  return new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body", ...path], msg, type }] });
}

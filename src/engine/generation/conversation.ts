// A conversation as chat templates read it, from a job's input.
import { ForecourtError } from "../../core/errors.ts";
import type { ChatInput, ChatMessage } from "./chat-fields.ts";

/** As transformers hands it to a template; tool calls' arguments are values, not JSON text. */
export type TemplateMessage = { role: string; content: string | null; [field: string]: unknown };

/** Throws `invalid_input`, with the field. */
export function conversationOf(input: ChatInput): TemplateMessage[] {
  const { prompt, messages, system_prompt: system } = input;
  if (prompt === undefined && (messages === undefined || messages.length === 0))
    throw wrong(["prompt"], "Either prompt or messages must say something", "missing");
  if (prompt !== undefined && messages !== undefined)
    throw wrong(["messages"], "prompt and messages cannot both be given", "value_error");
  const said = messages?.map(messageOf) ?? [{ role: "user", content: prompt ?? "" }];
  return system === undefined ? said : [{ role: "system", content: system }, ...said];
}

function messageOf(message: ChatMessage, at: number): TemplateMessage {
  const { role, content, name, tool_calls, tool_call_id } = message;
  return {
    role: role === "developer" ? "system" : role,
    content: textOf(content, at),
    ...(name !== undefined && { name }),
    ...(tool_call_id !== undefined && { tool_call_id }),
    ...(tool_calls &&
      tool_calls.length > 0 && {
        tool_calls: tool_calls.map((call) => ({ ...call, function: calledOf(call.function) })),
      }),
  };
}

function textOf(content: ChatMessage["content"], at: number): string | null {
  if (typeof content === "string") return content;
  if (!content) return null;
  return content
    .map((part, index) => {
      if (part.type === "text") return part.text;
      throw wrong(["messages", at, "content", index], "This model reads text only, no pictures", "value_error");
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

// What a language model answered, as the items of a response: thoughts, a message, calls of tools.
import type { ChatOutput } from "../../../engine/generation/chat-fields.ts";

type Logprobs = NonNullable<ChatOutput["logprobs"]>;
type ToolCall = NonNullable<ChatOutput["tool_calls"]>[number];
export type Status = "in_progress" | "completed" | "incomplete";

/** Items that grow by text. */
export const growing = {
  reasoning: {
    id: (job: string) => `rs_${job}`,
    delta: "response.reasoning_text.delta",
    done: "response.reasoning_text.done",
    part: (text: string) => ({ type: "reasoning_text" as const, text }),
    item: (id: string, status: Status, content: object[]) => ({
      ...{ id, type: "reasoning" as const, status, summary: [], content },
    }),
  },
  message: {
    id: (job: string) => `msg_${job}`,
    delta: "response.output_text.delta",
    done: "response.output_text.done",
    part: (text: string, logprobs: Logprobs = []) => ({
      ...{ type: "output_text" as const, text, annotations: [], logprobs },
    }),
    item: (id: string, status: Status, content: object[]) => ({
      ...{ id, type: "message" as const, status, role: "assistant" as const, content },
    }),
  },
} as const;
export type GrowingKind = keyof typeof growing;

/** `place` tells it from all other items: a job, and where it stands there. */
export const callItem = ({ id, function: called }: ToolCall, place: string, status: Status) => ({
  id: `fc_${place}`,
  type: "function_call" as const,
  status,
  call_id: id,
  name: called.name,
  arguments: called.arguments,
});

/** An answer that is too long breaks off within its last call. */
export const callStatus = ({ finish_reason: reason, tool_calls = [] }: ChatOutput, at: number): Status =>
  reason === "length" && at === tool_calls.length - 1 ? "incomplete" : "completed";

/** A message is left out where calls say it all. */
export const saysSomething = ({ output, tool_calls = [] }: ChatOutput) => output !== "" || tool_calls.length === 0;

export function itemsOf(output: ChatOutput, job: string) {
  const { reasoning = "", tool_calls = [], logprobs } = output;
  const { reasoning: thoughts, message } = growing;
  const status = output.finish_reason === "length" && tool_calls.length === 0 ? "incomplete" : "completed";
  return [
    ...(reasoning === "" ? [] : [thoughts.item(thoughts.id(job), "completed", [thoughts.part(reasoning)])]),
    ...(saysSomething(output) ? [message.item(message.id(job), status, [message.part(output.output, logprobs)])] : []),
    ...tool_calls.map((call, at) => callItem(call, `${job}_${at}`, callStatus(output, at))),
  ];
}

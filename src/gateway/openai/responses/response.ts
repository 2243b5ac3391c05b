// A job of a language model as a response in OpenAI's words.
import type { Job } from "../../../core/job.ts";
import type { ChatInput, ChatOutput } from "../../../engine/generation/chat-fields.ts";
import { failureOf } from "../../fal/translate.ts";
import { openAiFailureBody } from "../failures.ts";
import { itemsOf } from "./items.ts";
import { textFormat } from "./translate.ts";

/** What the job does not say: only the answer to the request itself repeats it, but for the conversation, which is kept. */
export type Repeated = {
  previous_response_id?: string;
  conversation?: { id: string };
  metadata?: Record<string, string>;
  background?: boolean;
};

export const responseId = ({ id }: Pick<Job, "id">) => `resp_${id}`;

export function responseOf(job: Job, repeated: Repeated = {}) {
  const input = job.input as ChatInput; // of a chat pipeline, which whoever calls this saw to
  return {
    ...fieldsOf(job, input),
    ...stateOf(job),
    ...{ parallel_tool_calls: input.parallel_tool_calls ?? true, max_tool_calls: null },
    ...{ truncation: "disabled", service_tier: "default" },
    ...{
      safety_identifier: null,
      prompt_cache_key: null,
      access_programs: null,
      reasoning: { effort: null, summary: null },
    },
    background: repeated.background ?? false,
    previous_response_id: repeated.previous_response_id ?? null,
    conversation: repeated.conversation ?? null,
    metadata: repeated.metadata ?? {},
  };
}

export type ResponseWords = ReturnType<typeof responseOf>;

function fieldsOf(job: Job, input: ChatInput) {
  const { tools = [], tool_choice: choice = "auto" } = input;
  return {
    id: responseId(job),
    object: "response" as const,
    created_at: seconds(job.createdAt),
    model: job.endpoint,
    instructions: input.system_prompt ?? null,
    max_output_tokens: input.max_tokens ?? null,
    temperature: input.temperature ?? 1,
    top_p: input.top_p ?? 1,
    top_logprobs: input.top_logprobs ?? 0,
    presence_penalty: input.presence_penalty ?? 0,
    frequency_penalty: input.frequency_penalty ?? 0,
    text: { format: textFormat(input.response_format) },
    tools: tools.map(({ type, function: { name, description, parameters, strict } }) => ({
      ...{ type, name, description: description ?? null, parameters: parameters ?? null, strict: strict ?? null },
    })),
    tool_choice: typeof choice === "string" ? choice : { type: choice.type, name: choice.function.name },
    store: job.keepsPayload !== false,
  };
}

/** How far it is; a failure after the answer has begun is told here. */
function stateOf(job: Job) {
  const open = { output: [] as object[], error: null, incomplete_details: null, usage: null, completed_at: null };
  switch (job.status) {
    case "queued":
      return { ...open, status: "queued" };
    case "running":
      return { ...open, status: "in_progress" };
    case "cancelled":
      return { ...open, status: "cancelled" };
    case "failed": {
      const { code, message } = openAiFailureBody(failureOf(job)).error;
      return { ...open, status: "failed", error: { code, message } };
    }
    case "done":
      return { ...open, ...doneState(job.output as ChatOutput, job) }; // of a chat pipeline
  }
}

function doneState(output: ChatOutput, job: Extract<Job, { status: "done" }>) {
  const isCut = output.finish_reason === "length";
  const { prompt_tokens, completion_tokens, total_tokens, cached_tokens } = output.usage;
  return {
    status: isCut ? "incomplete" : "completed",
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    completed_at: isCut ? null : seconds(job.finishedAt),
    output: itemsOf(output, job.id),
    usage: {
      input_tokens: prompt_tokens,
      // What a later request finds computed already is put by for nothing.
      input_tokens_details: { cached_tokens, cache_write_tokens: 0 },
      output_tokens: completion_tokens,
      // Models count thoughts and answer together.
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens,
    },
  };
}

const seconds = (ms: number) => Math.floor(ms / 1000);

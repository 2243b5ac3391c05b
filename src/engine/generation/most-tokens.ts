// The most tokens that a job can come to, for what is set aside of a budget.
import type { Units } from "../../core/pipeline.ts";
import { picturesIn } from "../sight/pictures.ts";
import type { ChatInput } from "./chat-fields.ts";

/** What templates write around a conversation: a default system prompt, instructions on tools. */
const AROUND = 1024;
/** What templates write around one message. */
const AROUND_MESSAGE = 32;
/** Descriptions of tools are written with indentation. */
const TOOL_FACTOR = 4;

/** More than 37 tiles of 169 vectors, the most of Idefics3 and of all; Qwen2-VL has 1280 here. */
const MOST_OF_PICTURE = 8192;

/** A token holds at least one byte. Without `max_tokens` only the model's length ends an answer. */
export function mostTokens(input: ChatInput): Units {
  const { messages = [], prompt = "", system_prompt = "", tools = [], max_tokens } = input;
  if (max_tokens === 0) return NO_TOKENS;
  const given = bytesOf(messages) + bytesOf(prompt) + bytesOf(system_prompt) + TOOL_FACTOR * bytesOf(tools);
  const pictures = MOST_OF_PICTURE * picturesIn(input).length;
  const input_tokens = AROUND + AROUND_MESSAGE * messages.length + given + pictures;
  const output_tokens = max_tokens ?? Number.POSITIVE_INFINITY;
  return { input_tokens, output_tokens, tokens: input_tokens + output_tokens };
}

/** Of a prompt that is counted and not read. */
export const NO_TOKENS = { input_tokens: 0, output_tokens: 0, tokens: 0 };

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

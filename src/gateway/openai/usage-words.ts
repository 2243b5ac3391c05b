// Tokens of answers in OpenAI's words.
import type { ChatOutput } from "../../engine/generation/chat-fields.ts";

/** The prompt counts once: all answers of one request share it. */
export function sumOfUsage(outputs: readonly Pick<ChatOutput, "usage">[]) {
  const [first] = outputs;
  const prompt = first?.usage.prompt_tokens ?? 0;
  const completion = outputs.reduce((sum, { usage }) => sum + usage.completion_tokens, 0);
  return usageWords({ prompt, completion, cached: first?.usage.cached_tokens ?? 0 });
}

export const usageWords = ({ prompt, completion, cached }: { prompt: number; completion: number; cached: number }) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached },
});

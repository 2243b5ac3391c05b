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

type Told = { [Field in "prompt_tokens" | "completion_tokens" | "input_tokens" | "output_tokens"]?: number } & {
  [Field in "prompt_tokens_details" | "input_tokens_details"]?: { cached_tokens?: number };
};

/** What an answer says of its tokens, in the words of either endpoint; none where it does not speak of any. */
export function tokensIn({ usage = {} }: { usage?: Told | null }) {
  const { input_tokens, prompt_tokens = 0, output_tokens, completion_tokens = 0 } = usage ?? {};
  const { cached_tokens = 0 } = usage?.input_tokens_details ?? usage?.prompt_tokens_details ?? {};
  return { input: input_tokens ?? prompt_tokens, cached: cached_tokens, output: output_tokens ?? completion_tokens };
}

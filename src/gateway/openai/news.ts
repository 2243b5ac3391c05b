// What is new in a language model's answer: its steps tell all of it each time, a chunk only what follows the last one.
import type { ChatOutput, ChatPartial } from "../../engine/generation/chat-fields.ts";

export type Seen = Pick<ChatPartial | ChatOutput, "output" | "reasoning" | "logprobs">;
type Logprobs = NonNullable<ChatOutput["logprobs"]>;

export function createNews() {
  let [text, reasoning, scored, isFirst] = [0, 0, 0, true];
  return {
    get isFirst() {
      return isFirst;
    },
    /** Characters told so far. */
    get length() {
      return text;
    },
    of(seen: Seen): { text: string; reasoning: string; logprobs: Logprobs } {
      const news = {
        text: seen.output.slice(text),
        reasoning: seen.reasoning?.slice(reasoning) ?? "",
        logprobs: seen.logprobs?.slice(scored) ?? [],
      };
      isFirst = false;
      text = seen.output.length;
      reasoning = seen.reasoning?.length ?? 0;
      scored = seen.logprobs?.length ?? 0;
      return news;
    },
  };
}

// One answer as it grows: from each step's scores to the next token, and from the tokens to text, thoughts and usage.
import { createDetokenizer } from "../text/detokenize.ts";
import type { LanguageTokenizer, Token } from "../text/language-tokenizer.ts";
import type { ChatInput, ChatOutput, ChatPartial } from "./chat-fields.ts";
import type { Sequence } from "./decode-loop.ts";
import type { Prompt } from "./prompt.ts";
import { type Chosen, createSampler } from "./sample.ts";
import { samplingOf } from "./sampling.ts";
import { createStopWatch } from "./stop.ts";
import { createThoughts, type Parted } from "./thoughts.ts";

export type Answer = Sequence & {
  /** Of the prompt: no need to read it. */
  cached: number;
  readonly count: number;
  /** All that may be shown so far. */
  partial(): ChatPartial;
  /** Once it is over. */
  output(): ChatOutput;
};

type Parts = { input: ChatInput; prompt: Prompt; tokenizer: LanguageTokenizer; ends: ReadonlySet<number> };

export function createAnswer({ input, prompt, tokenizer, ends }: Parts): Answer {
  const sampler = createSampler(samplingOf(input), prompt.tokens);
  const letters = createDetokenizer(tokenizer);
  const stops = createStopWatch(input.stop ?? []);
  const thoughts = input.raw ? undefined : createThoughts(prompt);
  const logprobs: NonNullable<ChatOutput["logprobs"]> = [];
  let [said, thought, count, cached] = ["", "", 0, 0];
  let finish: ChatOutput["finish_reason"] | undefined;

  function add({ answer, thoughts: more }: Parted): void {
    said += stops.push(answer);
    thought += more;
  }
  const write = (text: string) => add(thoughts?.push(text) ?? { answer: text, thoughts: "" });
  function close(reason: ChatOutput["finish_reason"]): undefined {
    write(letters.end());
    if (thoughts) add(thoughts.end());
    said += stops.end();
    finish = stops.isStopped ? "stop" : reason;
  }
  const shown = () => ({
    output: said,
    ...(input.reasoning && thought !== "" && { reasoning: thought.trim() }),
    ...(input.logprobs && { logprobs }),
  });

  return {
    prompt: prompt.tokens,
    get count() {
      return count;
    },
    get cached() {
      return cached;
    },
    set cached(tokens) {
      cached = tokens;
    },
    next(logits) {
      const chosen = sampler.next(logits);
      count++;
      if (ends.has(chosen.token)) return close("stop");
      const token = tokenizer.token(chosen.token);
      if (input.logprobs) logprobs.push(withNames(chosen, token, tokenizer));
      if (!token.isSpecial) write(letters.push(token));
      if (stops.isStopped) return close("stop");
      if (count >= prompt.room) return close("length");
      return chosen.token;
    },
    partial: () => ({ ...shown(), partial: true }),
    output: () => ({
      ...shown(),
      partial: false,
      finish_reason: finish ?? "length",
      usage: {
        prompt_tokens: prompt.tokens.length,
        completion_tokens: count,
        total_tokens: prompt.tokens.length + count,
        cached_tokens: cached,
      },
    }),
  };
}

function withNames({ logprob = 0, top = [] }: Chosen, token: Token, tokenizer: LanguageTokenizer) {
  return {
    ...named(token, logprob),
    top_logprobs: top.map((each) => named(tokenizer.token(each.token), each.logprob)),
  };
}

const named = ({ bytes }: Token, logprob: number) => ({
  token: new TextDecoder().decode(bytes),
  logprob: Number.isFinite(logprob) ? logprob : LEAST_LOGPROB,
  bytes: [...bytes],
});

/** JSON has no -Infinity; OpenAI's stand-in for "out of reach". */
const LEAST_LOGPROB = -9999;

// One answer as it grows: from each step's scores to the next token, and from the tokens to text, calls and usage.
import type { Beyond } from "../sight/beyond.ts";
import type { LanguageTokenizer, Token } from "../text/language-tokenizer.ts";
import { type AnswerText, createAnswerText } from "./answer-text.ts";
import type { ChatInput, ChatOutput, ChatPartial } from "./chat-fields.ts";
import type { Constraint } from "./constraint/constraint.ts";
import type { Sequence } from "./decode-loop.ts";
import type { Prompt } from "./prompt.ts";
import { type Chosen, createSampler } from "./sample.ts";
import { samplingOf } from "./sampling.ts";
import type { ToolWatch } from "./tools/tool-calls.ts";

export type Answer = Sequence & {
  /** Of the prompt: no need to read it. */
  cached: number;
  readonly count: number;
  /** All that may be shown so far; log probabilities are told once. */
  partial(): ChatPartial;
  /** Once it is over. */
  output(): ChatOutput;
};

export type AnswerParts = {
  input: ChatInput;
  prompt: Prompt;
  /** Of a prompt with pictures: what is read in place of its tokens. */
  pictures?: { read: readonly number[]; beyond: Beyond } | undefined;
  tokenizer: LanguageTokenizer;
  /** Tokens that end it. */
  ends: ReadonlySet<number>;
  /** Of what it must look like; thoughts before it are free. */
  constraint?: Constraint | undefined;
  /** Where it may call tools. */
  tools?: ToolWatch | undefined;
};

export function createAnswer({ input, prompt, pictures, tokenizer, ends, constraint, tools }: AnswerParts): Answer {
  const sampler = createSampler(samplingOf(input, tokenizer.size), prompt.tokens);
  const text = createAnswerText({
    tokenizer,
    stops: input.stop ?? [],
    ...(!input.raw && { thoughts: prompt }),
    ...(tools && { tools }),
  });
  const logprobs: NonNullable<ChatOutput["logprobs"]> = [];
  let [count, cached, told] = [0, 0, 0];
  let finish: ChatOutput["finish_reason"] = "length";

  function close(reason: "stop" | "length"): undefined {
    text.end();
    const hasCalled = text.calls.length > 0 && !(text.isCut && reason === "length");
    finish = hasCalled ? "tool_calls" : text.isStopped ? "stop" : reason;
  }
  const shown = () => shownOf(text, { input, logprobs });

  return {
    prompt: pictures?.read ?? prompt.tokens,
    beyond: pictures?.beyond,
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
      const bound = text.isThinking ? undefined : constraint;
      const chosen = sampler.next(logits, bound);
      count++;
      if (ends.has(chosen.token)) return close("stop");
      const token = tokenizer.token(chosen.token);
      if (input.logprobs) logprobs.push(withNames(chosen, token, tokenizer));
      bound?.take(token);
      text.push(token);
      if (text.isStopped || bound?.isFull) return close("stop");
      if (count >= prompt.room) return close("length");
      return chosen.token;
    },
    partial() {
      const from = told;
      told = logprobs.length;
      const scored = input.logprobs && { logprobs: logprobs.slice(from), logprobs_from: from };
      return { ...shown(), ...scored, partial: true };
    },
    output: () => ({
      ...shown(),
      partial: false,
      finish_reason: finish,
      usage: {
        prompt_tokens: prompt.tokens.length,
        completion_tokens: count,
        total_tokens: prompt.tokens.length + count,
        cached_tokens: cached,
      },
    }),
  };
}

type Shown = { input: ChatInput; logprobs: NonNullable<ChatOutput["logprobs"]> };

const shownOf = ({ said, thought, calls }: AnswerText, { input, logprobs }: Shown) => ({
  output: said,
  ...(calls.length > 0 && { tool_calls: [...calls] }),
  ...(input.reasoning && thought !== "" && { reasoning: thought }),
  ...(input.logprobs && { logprobs }),
});

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

// How a job wants its tokens taken, from its input.
import type { ChatInput } from "./chat-fields.ts";
import { wrong } from "./conversation.ts";
import type { Sampling } from "./sample.ts";

/** `count`: of the model's tokens. Throws `invalid_input` for a bias on what is no token's number. */
export function samplingOf(input: ChatInput, count: number): Sampling {
  const bias = Object.entries(input.logit_bias ?? {}).map(([token, add]) => {
    if (!/^\d{1,9}$/.test(token)) throw wrong(["logit_bias", token], "Keys are numbers of tokens", "value_error");
    if (Number(token) >= count)
      throw wrong(["logit_bias", token], `There is no such token: this model has ${count} of its own`, "value_error");
    return [Number(token), add] as const;
  });
  if (input.top_logprobs > 0 && !input.logprobs)
    throw wrong(["top_logprobs"], "The likeliest tokens are told with logprobs: true alone", "value_error");
  return {
    bias: new Map(bias),
    repetition: input.repetition_penalty,
    presence: input.presence_penalty,
    frequency: input.frequency_penalty,
    temperature: input.temperature,
    topK: input.top_k,
    topP: input.top_p,
    minP: input.min_p,
    seed: input.seed ?? Math.floor(Math.random() * 2 ** 32),
    ...(input.logprobs && { topLogprobs: input.top_logprobs }),
  };
}

// Turns a prompt into the numbers that steer a diffusion model: tokenizer, text encoder graph, memory of recent prompts.
import { invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { createRecent } from "../text/recent.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

export type PromptEmbedding = {
  /** [tokens, width], row by row. */
  data: Float32Array;
  tokens: number;
  width: number;
  /** Tokens of the prompt beyond the encoder's length, which were not read. */
  dropped: number;
};

export type PromptEncoder = { encode(prompt: string): Promise<PromptEmbedding> };

/** Embeddings of the latest prompts are kept: the negative one rarely changes, and variations reuse the positive one. */
const KEPT_PROMPTS = 32;

/** For text encoders whose answer is the last layer's state of every token (Stable Diffusion 1 and 2). */
export function createPromptEncoder({ tokenizer, graph }: { tokenizer: Tokenizer; graph: Graph }): PromptEncoder {
  const input = requirePort(graph.inputs, { names: ["input_ids"], of: "text encoder" });
  const perToken = graph.outputs.filter(({ shape }) => shape.length === 3);
  const output = requirePort(perToken, { names: ["last_hidden_state"], of: "text encoder" });
  const recent = createRecent<PromptEmbedding>(KEPT_PROMPTS);

  async function encode(prompt: string): Promise<PromptEmbedding> {
    const { ids, dropped } = tokenizer.encode(prompt);
    const padded = tokenizer.pad(ids, tokenizer.maxLength);
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, padded.length], padded) });
    const hidden = results[output.name];
    invariant(hidden, "a graph gives each of its outputs");
    const [, tokens = 0, width = 0] = hidden.shape;
    return { data: toFloats(hidden), tokens, width, dropped };
  }

  return { encode: (prompt) => recent.get(prompt, () => encode(prompt)) };
}

// Turns a prompt into the numbers that steer a diffusion model: tokenizer, text encoder graph, memory of recent prompts.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { createRecent } from "../text/recent.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

export type PromptEmbedding = {
  /** [tokens, width], row by row. */
  data: Float32Array;
  tokens: number;
  width: number;
  /** One vector for the whole prompt, where the graph gives it. */
  pooled?: Float32Array;
  /** Tokens of the prompt beyond the encoder's length, which were not read. */
  dropped: number;
};

/** "last" = the graph's answer after its final norm; 1 = the last layer's state before it, 2 = the layer below... */
export type Layer = "last" | number;

export type PromptEncoder = { encode(prompt: string, layer?: Layer): Promise<PromptEmbedding> };

/** Embeddings of the latest prompts are kept: the negative one rarely changes, and variations reuse the positive one. */
const KEPT_PROMPTS = 32;

/** For CLIP and T5 text encoders. A layer that the graph does not give is the caller's wish for it: `invalid_input`. */
export function createPromptEncoder({ tokenizer, graph }: { tokenizer: Tokenizer; graph: Graph }): PromptEncoder {
  const input = requirePort(graph.inputs, { names: ["input_ids"], of: "text encoder" });
  const mask = graph.inputs.find(({ name }) => name === "attention_mask");
  const recent = createRecent<PromptEmbedding>(KEPT_PROMPTS);

  async function encode(prompt: string, layer: Layer): Promise<PromptEmbedding> {
    const output = statesPort(graph, layer);
    const { ids, dropped } = tokenizer.encode(prompt);
    const padded = tokenizer.pad(ids, tokenizer.maxLength);
    const shape = [1, padded.length];
    // diffusers masks nothing: the models were trained on padding that is read.
    const ones = mask && { [mask.name]: tensorOf(mask.dtype, shape, new Array<number>(padded.length).fill(1)) };
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, shape, padded), ...ones });
    const hidden = results[output.name];
    invariant(hidden, "a graph gives each of its outputs");
    const [, tokens = 0, width = 0] = hidden.shape;
    return { data: toFloats(hidden), tokens, width, dropped, ...pooledOf(results) };
  }

  return { encode: (prompt, layer = "last") => recent.get(`${layer} ${prompt}`, () => encode(prompt, layer)) };
}

function statesPort({ outputs }: Graph, layer: Layer): Port {
  if (layer === "last") {
    const perToken = outputs.filter(({ name, shape }) => shape.length === 3 && !name.startsWith("hidden_states."));
    return requirePort(perToken, { names: ["last_hidden_state"], of: "text encoder" });
  }
  const states = outputs.filter(({ name }) => name.startsWith("hidden_states."));
  const port = states.find(({ name }) => name === `hidden_states.${states.length - layer}`);
  if (port) return port;
  throw cannotSkip();
}

/** For a caller who wants layers to be skipped which the graph keeps to itself. */
export function cannotSkip(): ForecourtError {
  const msg = "This model's text encoder does not give the layers that clip_skip asks for";
  const problem = { loc: ["body", "clip_skip"], msg, type: "value_error" };
  return new ForecourtError("invalid_input", msg, { problems: [problem] });
}

function pooledOf({ text_embeds, pooler_output }: Record<string, Tensor>): { pooled?: Float32Array } {
  const tensor = text_embeds ?? pooler_output;
  return tensor ? { pooled: toFloats(tensor) } : {};
}

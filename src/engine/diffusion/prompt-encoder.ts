// Turns a prompt into the numbers that steer a diffusion model: tokenizer, text encoder graph, memory of recent prompts.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { createRecent } from "../text/recent.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { parseWeights } from "../text/weighted-text.ts";
import { normBetween } from "./final-norm.ts";

export type PromptEmbedding = {
  /** [tokens, width], row by row. */
  data: Float32Array;
  tokens: number;
  width: number;
  /** One vector for the whole prompt, where the graph gives it. */
  pooled?: Float32Array;
  /** How often the encoder was used, each time for as many tokens as it reads. */
  readings: number;
  /** Tokens of the prompt beyond all readings. */
  dropped: number;
};

/** "last" = the graph's answer after its final norm; 1 = the last layer's state before it, 2 = the layer below... */
export type Layer = "last" | number;

export type Reading = {
  layer?: Layer;
  /** A lower layer's states go through the encoder's final norm too. */
  isNormed?: boolean;
  /** Brackets in the prompt say how much its parts count, see weighted-text.ts. */
  isWeighted?: boolean;
  /** At least so many readings, the last ones of nothing: another prompt of the same call needs them. */
  readings?: number;
};

export type PromptEncoder = { encode(prompt: string, reading?: Reading): Promise<PromptEmbedding> };

/** Readings of the latest prompts are kept: the negative one rarely changes, and variations reuse the positive one. */
const KEPT_READINGS = 32;

type Parts = {
  tokenizer: Tokenizer;
  graph: Graph;
  /** The same encoder with what its layers pass on, where `graph` keeps that to itself. */
  openStates?: () => Promise<Graph>;
  /** How often the encoder may be used for one prompt, each time for as many tokens as it reads. */
  mostReadings?: number;
};

/**
 * For CLIP and T5 text encoders. A layer that the graph does not give is the caller's wish for it: `invalid_input`.
 * A prompt of more tokens than the encoder reads is read in parts, whose embeddings are put end to end.
 */
export function createPromptEncoder({ tokenizer, graph: usual, openStates, mostReadings = 1 }: Parts): PromptEncoder {
  const input = requirePort(usual.inputs, { names: ["input_ids"], of: "text encoder" });
  const mask = usual.inputs.find(({ name }) => name === "attention_mask");
  const recent = createRecent<States>(KEPT_READINGS);
  let opening: Promise<Graph> | undefined;
  /** Opened once, however many prompts of a batch ask for it at a time. */
  const withStates = async (open: () => Promise<Graph>) => {
    opening ??= open();
    return await opening.catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
  };

  async function read(tokens: readonly number[], { layer = "last", isNormed = false }: Reading): Promise<States> {
    const isKept = layer !== "last" && statesOf(usual).length === 0;
    const graph = isKept && openStates ? await withStates(openStates) : usual;
    const output = statesPort(graph, layer);
    const padded = tokenizer.pad(tokenizer.marked(tokens), tokenizer.maxLength);
    const shape = [1, padded.length];
    // diffusers masks nothing: the models were trained on padding that is read.
    const ones = mask && { [mask.name]: tensorOf(mask.dtype, shape, new Array<number>(padded.length).fill(1)) };
    const results = await graph.run({ [input.name]: tensorOf(input.dtype, shape, padded), ...ones });
    const hidden = results[output.name];
    invariant(hidden, "a graph gives each of its outputs");
    const [, tokensRead = 0, width = 0] = hidden.shape;
    const data = toFloats(hidden);
    const norm = isNormed && normOf(graph, results);
    return { data: norm ? norm(data) : data, tokens: tokensRead, width, ...pooledOf(results) };
  }

  return {
    async encode(prompt, reading = {}) {
      const { isWeighted = false, readings: least = 1 } = reading;
      const texts = isWeighted ? parseWeights(prompt) : [{ text: prompt, weight: 1 }];
      const tokens = texts.flatMap(({ text, weight }) => tokenizer.tokens(text).map((id) => ({ id, weight })));
      const { room, marksBefore } = tokenizer;
      const count = Math.min(mostReadings, Math.max(least, Math.ceil(tokens.length / room)));
      const readOnce = (ids: readonly number[]) =>
        recent.get(`${reading.layer} ${reading.isNormed} ${ids}`, () => read(ids, reading));
      const states: States[] = [];
      for (let at = 0; at < count; at++) {
        const part = tokens.slice(at * room, (at + 1) * room);
        const given = await readOnce(part.map(({ id }) => id));
        const weights = part.map(({ weight }) => weight);
        const isPlain = weights.every((weight) => weight === 1);
        states.push(isPlain ? given : weighed(given, await readOnce([]), { weights, from: marksBefore }));
      }
      return { ...joined(states), readings: count, dropped: Math.max(0, tokens.length - count * room) };
    },
  };
}

type States = Pick<PromptEmbedding, "data" | "tokens" | "width" | "pooled">;

/** Each token's state that much farther from (or nearer to) what the encoder says of no text at all: ComfyUI's rule. */
function weighed(
  states: States,
  empty: States,
  { weights, from }: { weights: readonly number[]; from: number },
): States {
  const { width } = states;
  const data = Float32Array.from(states.data);
  for (const [at, weight] of weights.entries()) {
    const start = (from + at) * width;
    for (let i = start; i < start + width; i++) {
      const none = empty.data[i] ?? 0;
      data[i] = none + weight * ((states.data[i] ?? 0) - none);
    }
  }
  return { ...states, data };
}

/** The tokens of all, one after the other; the first one's summary. */
function joined(states: readonly States[]): States {
  const [first] = states;
  invariant(first, "a prompt is read at least once");
  if (states.length === 1) return first;
  const data = new Float32Array(states.reduce((sum, each) => sum + each.data.length, 0));
  let at = 0;
  for (const each of states) {
    data.set(each.data, at);
    at += each.data.length;
  }
  return { ...first, data, tokens: states.reduce((sum, each) => sum + each.tokens, 0) };
}

const statesOf = ({ outputs }: Graph) => outputs.filter(({ name }) => name.startsWith("hidden_states."));

function statesPort(graph: Graph, layer: Layer): Port {
  const { outputs } = graph;
  if (layer === "last") {
    const perToken = outputs.filter(({ name, shape }) => shape.length === 3 && !name.startsWith("hidden_states."));
    return requirePort(perToken, { names: ["last_hidden_state"], of: "text encoder" });
  }
  const states = statesOf(graph);
  const port = states.find(({ name }) => name === `hidden_states.${states.length - layer}`);
  if (port) return port;
  throw cannotSkip();
}

/** The graph's norm between the last layer's states and its answer. */
function normOf(graph: Graph, results: Record<string, Tensor>) {
  const tensorAt = ({ name }: Port) => {
    const tensor = results[name];
    invariant(tensor, "a graph gives each of its outputs");
    return { data: toFloats(tensor), width: tensor.shape[2] ?? 1 };
  };
  return normBetween(tensorAt(statesPort(graph, 1)), tensorAt(statesPort(graph, "last")));
}

/** For a caller who wants layers to be skipped which the graph keeps to itself. */
export function cannotSkip(): ForecourtError {
  const msg = "This model's text encoder does not give the layers that clip_skip asks for";
  const problem = { loc: ["body", "clip_skip"], msg, type: "value_error" };
  return new ForecourtError("invalid_input", msg, { problems: [problem] });
}

/** For a caller who wants parts of the prompt to count more, of a model whose encoder has no "nothing" to go away from. */
export function cannotWeigh(): ForecourtError {
  const msg =
    "Prompts of this model are read by a language model, whose words cannot be weighted: leave prompt_weighting out";
  const problem = { loc: ["body", "prompt_weighting"], msg, type: "value_error" };
  return new ForecourtError("invalid_input", msg, { problems: [problem] });
}

function pooledOf({ text_embeds, pooler_output }: Record<string, Tensor>): { pooled?: Float32Array } {
  const tensor = text_embeds ?? pooler_output;
  return tensor ? { pooled: toFloats(tensor) } : {};
}

// MusicGen's decoder: scores of the next code of every codebook, with keys and values kept between steps, on the device
// where that is possible.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { HeldTensor, Tensor } from "../../core/tensor.ts";
import { expectKnown } from "../beams/encoder-decoder.ts";
import { keptOf, PAST, PRESENT } from "../beams/kept.ts";
import { runOf } from "../generation/decoder.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";

/** What the text encoder said: of the prompt and, where there is guidance, of nothing. */
export type Condition = {
  /** [rows, length, width] */
  states: Tensor;
  /** [rows, length] */
  mask: Tensor;
};

export type TokenDecoding = {
  /** The codes of the step before, [rows x codebooks]; scores of what follows, one of each. */
  step(codes: readonly number[]): Promise<Float32Array[]>;
  /** Frees what is kept. */
  release(): void;
};

export type TokenDecoder = { begin(condition: Condition): TokenDecoding };

type Kept = ReadonlyMap<string, Tensor | HeldTensor>;

/** `layers`: how many there are by config.json. Throws `runner_failed` for a graph of another kind. */
export async function loadTokenDecoder(assets: Assets, path: string, layers: number): Promise<TokenDecoder> {
  const graph = await assets.graph(path, { hold: namesOfCache(layers) });
  expectKnown(graph, path, false);
  if (!graph.inputs.some(({ name }) => name.startsWith(PAST)))
    throw unusable(path, "it has no past_key_values: only exports with a cache can write music step by step");
  return {
    begin(condition) {
      let kept: Kept = new Map();
      const free = (tensors: Iterable<Tensor | HeldTensor>) => {
        for (const tensor of tensors) if (!("data" in tensor)) tensor.release();
      };
      return {
        async step(codes) {
          const { read, held } = await runOf(graph)(feedsOf({ graph, codes, condition, kept }));
          const next = keptOf<Tensor | HeldTensor>({ ...read, ...held }, kept);
          const isUsed = new Set(next.values());
          free([...kept.values(), ...Object.values(held)].filter((tensor) => !isUsed.has(tensor)));
          kept = next;
          const { logits } = read;
          if (!logits) throw unusable(path, 'it gives no "logits"');
          return rowsOf(logits, codes.length);
        },
        release() {
          free(kept.values());
          kept = new Map();
        },
      };
    },
  };
}

const namesOfCache = (layers: number) =>
  Array.from({ length: layers }, (_, layer) =>
    ["decoder.key", "decoder.value", "encoder.key", "encoder.value"].map((each) => `${PRESENT}${layer}.${each}`),
  ).flat();

type Step = { graph: Graph; codes: readonly number[]; condition: Condition; kept: Kept };

function feedsOf({ graph, codes, condition: { states, mask }, kept }: Step): Record<string, Tensor | HeldTensor> {
  const [rows = 1] = states.shape;
  const feeds: Record<string, Tensor | HeldTensor> = {};
  for (const { name, dtype, shape } of graph.inputs) {
    if (name === "input_ids" || name === "decoder_input_ids") feeds[name] = tensorOf(dtype, [codes.length, 1], codes);
    else if (name === "encoder_hidden_states") feeds[name] = inDtype(states, dtype);
    else if (name === "encoder_attention_mask") feeds[name] = inDtype(mask, dtype);
    else if (name === "use_cache_branch")
      feeds[name] = { dtype: "bool", shape: [1], data: Uint8Array.of(kept.size > 0 ? 1 : 0) };
    else {
      const [, heads = 0, , width = 0] = shape.map(Number);
      feeds[name] = kept.get(name.slice(PAST.length)) ?? tensorOf(dtype, [rows, heads, 0, width], []);
    }
  }
  return feeds;
}

/** Graphs of one model may be of several precisions. */
const inDtype = (tensor: Tensor, dtype: Tensor["dtype"]): Tensor =>
  tensor.dtype === dtype ? tensor : tensorOf(dtype, tensor.shape, toFloats(tensor));

/** Of [rows, 1, vocabulary] each row's, in memory of its own. */
function rowsOf(logits: Tensor, count: number): Float32Array[] {
  const values = toFloats(logits);
  const size = values.length / count;
  return Array.from({ length: count }, (_, row) => values.slice(row * size, (row + 1) * size));
}

const unusable = (file: string, why: string) =>
  new ForecourtError("runner_failed", `the graph ${file} cannot be used: ${why}`, { details: { file } });

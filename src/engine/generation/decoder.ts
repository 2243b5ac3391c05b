// A language model's graph: reads tokens and gives the scores of the next one, with keys and values of what was read.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { HeldTensor, Tensor } from "../../core/tensor.ts";
import type { Beyond } from "../sight/beyond.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";
import { cacheNames, type KvCache, type KvShape } from "./kv-cache.ts";

export type Decoder = {
  kv: KvShape;
  /** The graph is told each token's place, so rows may be padded. */
  takesPositions: boolean;
  /** Keys and values stay in the device's memory: caches are taken whole, one row each. */
  holds: boolean;
  /** `tokens` follow what the cache's rows hold: as many for each row. */
  forward(step: DecoderStep): Promise<Forwarded>;
};

export type DecoderStep = {
  tokens: readonly (readonly number[])[];
  cache: KvCache;
  /** Of rows with pictures: what they are beside words. */
  beyond?: readonly (Beyond | undefined)[];
};

export type Forwarded = {
  /** Scores of the token after the last one, row by row. */
  logits: Float32Array[];
  cache: KvCache;
};

/** Files that exporters write a language model to, the usual one first. */
const FILES = ["onnx/model.onnx", "onnx/decoder_model_merged.onnx", "model.onnx", "decoder_model_merged.onnx"];

/** Of exports whose decoder takes vectors instead of tokens. */
const EMBEDDING = "onnx/embed_tokens.onnx";

const PAST = /^past_key_values\.(\d+)\.(key|value)$/;
const PRESENT = "present.";
const KEPT_LOGITS = ["num_logits_to_keep", "logits_to_keep"];

type DecoderOptions = {
  /** Another file than the usual ones. */
  path?: string;
  /** How many there are by config.json: then keys and values may stay on the device. */
  layers?: number | undefined;
};

/** Throws `runner_failed` for a graph that is no decoder of this kind. */
export async function loadDecoder(assets: Assets, { layers, path }: DecoderOptions = {}): Promise<Decoder> {
  const file = path ?? FILES.find((each) => assets.has(each)) ?? FILES[0] ?? "";
  const hold = cacheNames({ layers: layers ?? 0 }).map((name) => `${PRESENT}${name}`);
  const graph = await assets.graph(file, { hold });
  const kv = kvShapeOf(graph, file);
  const names = cacheNames(kv);
  const takesVectors = !graph.inputs.some(({ name }) => name === "input_ids");
  const embedding = takesVectors ? await assets.graph(EMBEDDING) : undefined;
  const has = (name: string) => graph.inputs.some((port) => port.name === name);
  return {
    kv,
    takesPositions: has("position_ids"),
    holds: graph.runHolding !== undefined,
    async forward(step) {
      const { tokens, cache } = step;
      const vectors = embedding && (await vectorsOf(embedding, graph, step));
      const { read, held } = await runOf(graph)(feedsOf({ ...step, graph, vectors }));
      const { logits } = read;
      if (!logits) throw unusable(file, 'it gives no "logits"');
      const count = tokens[0]?.length ?? 0;
      const tensors = new Map(
        names.map((name) => {
          const present = held[`${PRESENT}${name}`] ?? read[`${PRESENT}${name}`];
          if (!present) throw unusable(file, `it gives no "${PRESENT}${name}"`);
          return [name, present] as const;
        }),
      );
      const kept = {
        rows: cache.rows.map((row) => row + count),
        length: cache.length + count,
        padding: cache.padding,
        tensors,
      };
      const stays = Object.values(held);
      if (stays.length === 0) return { logits: lastOfEach(logits), cache: kept };
      const release = () => {
        for (const tensor of stays) tensor.release();
      };
      return { logits: lastOfEach(logits), cache: { ...kept, release } };
    },
  };
}

type Inputs = Record<string, Tensor | HeldTensor>;
type Outcome = { read: Record<string, Tensor>; held: Record<string, HeldTensor> };

/** Where nothing can be held on the device, all is read. */
export function runOf(graph: Graph): (inputs: Inputs) => Promise<Outcome> {
  if (graph.runHolding) return graph.runHolding;
  return async (inputs) => {
    const given = Object.entries(inputs).flatMap(([name, tensor]) =>
      "data" in tensor ? [[name, tensor] as const] : [],
    );
    return { read: await graph.run(Object.fromEntries(given)), held: {} };
  };
}

/** [rows, count, width]: of words by the model's own table, of what is beyond them as given. */
async function vectorsOf(embedding: Graph, { inputs }: Graph, step: DecoderStep): Promise<Tensor> {
  const { tokens, beyond = [] } = step;
  const [rows, count] = [tokens.length, tokens[0]?.length ?? 0];
  const others = tokens.map((row, at) => row.map((token) => beyond[at]?.vector(token)));
  const isKnown = (row: number, at: number) => others[row]?.[at] !== undefined;
  const words = others.every((row) => row.every(Boolean)) ? undefined : await wordsOf(embedding, step, isKnown);
  const width = words?.shape.at(-1) ?? others[0]?.[0]?.length ?? 0;
  const values = words ? toFloats(words).slice() : new Float32Array(rows * count * width);
  for (const [row, each] of others.entries())
    for (const [at, vector] of each.entries()) if (vector) values.set(vector, (row * count + at) * width);
  const dtype = inputs.find(({ name }) => name === "inputs_embeds")?.dtype ?? "float32";
  return tensorOf(dtype, [rows, count, width], values);
}

/** Of Chatterbox's table, which a mark in its prompts alone looks at: those are read elsewhere. */
const EXAGGERATION = 0.5;

/** Vectors of the tokens by the table; it is told places where it asks for them. */
async function wordsOf(
  embedding: Graph,
  { tokens, cache, beyond = [] }: DecoderStep,
  isKnown: (row: number, at: number) => boolean,
): Promise<Tensor> {
  const shape = [tokens.length, tokens[0]?.length ?? 0] as const;
  const feeds: Record<string, Tensor> = {
    input_ids: int64(shape, (row, at) => (isKnown(row, at) ? 0 : (tokens[row]?.[at] ?? 0))),
  };
  for (const { name, dtype } of embedding.inputs) {
    if (name === "position_ids")
      feeds[name] = int64(shape, (row, at) => {
        const index = (cache.rows[row] ?? 0) + at;
        return beyond[row]?.place(index)[0] ?? index;
      });
    if (name === "exaggeration")
      feeds[name] = tensorOf(
        dtype,
        [shape[0]],
        tokens.map(() => EXAGGERATION),
      );
  }
  const results = await embedding.run(feeds);
  const words = results.inputs_embeds ?? Object.values(results)[0];
  if (!words) throw unusable(EMBEDDING, 'it gives no "inputs_embeds"');
  return words;
}

type Step = DecoderStep & { graph: Graph; vectors: Tensor | undefined };

function feedsOf({ graph, tokens, cache, vectors, beyond = [] }: Step): Inputs {
  const rows = tokens.length;
  const count = tokens[0]?.length ?? 0;
  const total = cache.length + count;
  const feeds: Inputs = {};
  for (const { name, shape } of graph.inputs) {
    if (name === "inputs_embeds" && vectors) feeds[name] = vectors;
    else if (name === "input_ids") feeds[name] = int64([rows, count], (row, at) => tokens[row]?.[at] ?? 0);
    else if (name === "attention_mask")
      feeds[name] = int64([rows, total], (row, at) => (isPadding(cache, row, at, count) ? 0 : 1));
    else if (name === "position_ids" && shape.length === 3) feeds[name] = placesOf(tokens, cache, beyond);
    else if (name === "position_ids") feeds[name] = int64([rows, count], (row, at) => (cache.rows[row] ?? 0) + at);
    else if (name === "use_cache_branch")
      feeds[name] = { dtype: "bool", shape: [1], data: Uint8Array.of(cache.length > 0 ? 1 : 0) };
    else if (KEPT_LOGITS.includes(name)) feeds[name] = { dtype: "int64", shape: [], data: BigInt64Array.of(1n) };
    else {
      const past = cache.tensors.get(name.replace("past_key_values.", ""));
      if (past) feeds[name] = past;
    }
  }
  return feeds;
}

/** [3, rows, count]: time, row and column; all the same where there are no pictures. */
function placesOf(tokens: DecoderStep["tokens"], cache: KvCache, beyond: NonNullable<DecoderStep["beyond"]>): Tensor {
  const [rows, count] = [tokens.length, tokens[0]?.length ?? 0];
  const flat = int64([3 * rows, count], (at, column) => {
    const row = at % rows;
    const index = (cache.rows[row] ?? 0) + column;
    return beyond[row]?.place(index)[Math.floor(at / rows)] ?? index;
  });
  return { ...flat, shape: [3, rows, count] };
}

/** Of a mask over what was read and `count` new tokens. */
function isPadding({ rows, length, padding }: KvCache, row: number, at: number, count: number): boolean {
  const held = rows[row] ?? 0;
  return padding === "before" ? at < length - held : at >= held + count;
}

function int64([rows, columns]: readonly [number, number], value: (row: number, column: number) => number): Tensor {
  const data = new BigInt64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) data[row * columns + column] = BigInt(value(row, column));
  return { dtype: "int64", shape: [rows, columns], data };
}

/** Of [rows, tokens, vocabulary] the last token's. */
function lastOfEach(logits: Tensor): Float32Array[] {
  const [rows = 1, tokens = 1, vocabulary = 1] = logits.shape;
  const values = toFloats(logits);
  return Array.from({ length: rows }, (_, row) => {
    const from = ((row + 1) * tokens - 1) * vocabulary;
    return values.subarray(from, from + vocabulary);
  });
}

function kvShapeOf({ inputs, outputs }: Graph, file: string): KvShape {
  const past = inputs.filter(({ name }) => PAST.test(name));
  const [first] = past;
  const strange = inputs.filter(({ name }) => !PAST.test(name) && !OTHER_INPUTS.includes(name));
  if (!first) throw unusable(file, "it has no past_key_values: only exports with a cache can answer word by word");
  if (strange.length > 0) throw unusable(file, `its input "${strange[0]?.name}" is not known here`);
  if (first.dtype !== "float32" && first.dtype !== "float16")
    throw unusable(file, `its past_key_values are ${first.dtype}`);
  if (!outputs.some(({ name }) => name === "logits")) throw unusable(file, 'it gives no "logits"');
  const [, heads, , width] = first.shape;
  if (typeof heads !== "number" || typeof width !== "number" || heads <= 0 || width <= 0)
    throw unusable(file, "its past_key_values do not say how many heads there are and how wide they are");
  return { layers: past.length / 2, heads, width, dtype: first.dtype };
}

const OTHER_INPUTS = [
  "input_ids",
  "inputs_embeds",
  "attention_mask",
  "position_ids",
  "use_cache_branch",
  ...KEPT_LOGITS,
];

const unusable = (file: string, why: string) =>
  new ForecourtError("runner_failed", `the graph ${file} cannot be used: ${why}`, { details: { file } });

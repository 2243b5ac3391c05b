// The decoder of an encoder-decoder model: what follows each of several beginnings, with keys and values kept between steps.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { repeatRow, takeRows } from "../tensor/rows.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";
import type { BeamRow } from "./beam-search.ts";
import { keptOf, OF_ENCODER, PAST } from "./kept.ts";

/** What an encoder says of one input: [1, length, width]. */
export type Encoded = Tensor;

export type EncoderDecoder = {
  /** A new answer's steps, for searchAnswer. */
  begin(encoded: Encoded): (rows: readonly BeamRow[]) => Promise<Float32Array[]>;
};

type Options = {
  path: string;
  /** [rows, 1] ids to [rows, 1, width], for a graph that takes no ids. */
  embed?(ids: Tensor): Promise<Tensor>;
};

/** Throws `runner_failed` for a graph of another kind. */
export async function loadEncoderDecoder(assets: Assets, { path, embed }: Options): Promise<EncoderDecoder> {
  const graph = await assets.graph(path);
  expectKnown(graph, path, embed !== undefined);
  return {
    begin(encoded) {
      let kept: ReadonlyMap<string, Tensor> | undefined;
      return async (rows) => {
        const past = kept && reordered(kept, rows);
        const feeds = await feedsOf({ graph, rows, encoded, past, embed });
        const results = await graph.run(feeds);
        kept = keptOf(results, past);
        const { logits } = results;
        if (!logits) throw unusable(path, 'it gives no "logits"');
        return lastOfEach(logits);
      };
    },
  };
}

function reordered(kept: ReadonlyMap<string, Tensor>, rows: readonly BeamRow[]): ReadonlyMap<string, Tensor> {
  const from = rows.map((row) => row.from);
  // Rows of one input share what was encoded: only their number may change.
  const isSame = (tensor: Tensor) => tensor.shape[0] === rows.length;
  return new Map(
    [...kept].map(([name, tensor]) => [
      name,
      OF_ENCODER.test(name) && isSame(tensor) ? tensor : takeRows(tensor, from),
    ]),
  );
}

type Step = {
  graph: Graph;
  rows: readonly BeamRow[];
  encoded: Encoded;
  past: ReadonlyMap<string, Tensor> | undefined;
  embed: Options["embed"];
};

async function feedsOf({ graph, rows, encoded, past, embed }: Step): Promise<Record<string, Tensor>> {
  const ids = tensorOf(
    "int64",
    [rows.length, 1],
    rows.map(({ token }) => token),
  );
  const length = encoded.shape[1] ?? 0;
  const ones = (shape: number[]) => tensorOf("int64", shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(1));
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, shape } of graph.inputs) {
    if (name === "input_ids" || name === "decoder_input_ids") feeds[name] = ids;
    else if (name === "inputs_embeds" && embed) feeds[name] = await embed(ids);
    else if (name === "encoder_hidden_states") feeds[name] = repeatRow(encoded, rows.length);
    else if (name === "encoder_attention_mask") feeds[name] = ones([rows.length, length]);
    else if (name === "use_cache_branch")
      feeds[name] = { dtype: "bool", shape: [1], data: Uint8Array.of(past ? 1 : 0) };
    else {
      const [, heads = 0, , width = 0] = shape.map(Number);
      feeds[name] = past?.get(name.slice(PAST.length)) ?? tensorOf(dtype, [rows.length, heads, 0, width], []);
    }
  }
  return feeds;
}

/** Of [rows, tokens, vocabulary] the last token's, in memory of its own. */
function lastOfEach(logits: Tensor): Float32Array[] {
  const [rows = 1, tokens = 1, vocabulary = 1] = logits.shape;
  const values = toFloats(logits);
  return Array.from({ length: rows }, (_, row) => {
    const from = ((row + 1) * tokens - 1) * vocabulary;
    return values.slice(from, from + vocabulary);
  });
}

const OTHER_INPUTS = [
  "input_ids",
  "decoder_input_ids",
  "encoder_hidden_states",
  "encoder_attention_mask",
  "use_cache_branch",
];

/** Throws `runner_failed` for a graph that is no merged decoder. */
export function expectKnown({ inputs }: Graph, path: string, embeds: boolean): void {
  const known = embeds ? [...OTHER_INPUTS, "inputs_embeds"] : OTHER_INPUTS;
  const strange = inputs.find(({ name }) => !name.startsWith(PAST) && !known.includes(name));
  if (strange) throw unusable(path, `its input "${strange.name}" is not known here`);
  const isOpen = inputs.some(
    ({ name, shape }) => name.startsWith(PAST) && !(Number(shape[1]) > 0 && Number(shape[3]) > 0),
  );
  if (isOpen) throw unusable(path, "its past_key_values do not say how many heads there are and how wide they are");
}

const unusable = (file: string, why: string) =>
  new ForecourtError("runner_failed", `the graph ${file} cannot be used: ${why}`, { details: { file } });

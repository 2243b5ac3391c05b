// A model that embeds: its towers for texts, pictures and sounds, whichever it has, found by the files of its folder.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import type { ClapFeatures } from "../hearing/clap-features.ts";
import { hearSound, loadClapFeatures, soundFeeds } from "../hearing/sounds.ts";
import { createPause } from "../pause.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { type EncodedText, type EncoderTokenizer, loadEncoderTokenizer } from "../text/encoder-tokenizer.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";
import type { EmbedDeclaration, Pooling } from "./declaration.ts";
import { poolRows, rowsOf } from "./pooling.ts";
import { readPictureConfig } from "./siglip.ts";
import { readTextFacts, type TextFacts } from "./text-facts.ts";
import { feedsOfRows } from "./text-rows.ts";

export type Embedder = {
  tokenizer: EncoderTokenizer;
  facts: TextFacts;
  texts(rows: readonly EncodedText[]): Promise<Float32Array[]>;
  /** Absent for a model of texts alone. */
  pictures?: (pictures: readonly Pixels[]) => Promise<Float32Array[]>;
  /** Absent for a model that hears nothing. */
  sounds?: (sounds: readonly GivenSound[]) => Promise<Float32Array[]>;
};

/** A sound of a request, read when its turn comes; `field` is the way to its URL. */
export type GivenSound = Omit<Parameters<typeof hearSound>[0], "features">;

export const WHOLE = "onnx/model.onnx";
export const TOWERS = {
  text: "onnx/text_model.onnx",
  vision: "onnx/vision_model.onnx",
  audio: "onnx/audio_model.onnx",
};

/** Vectors of whole rows, as exporters name them. */
const TEXT_VECTORS = ["text_embeds", "sentence_embedding", "text_embeddings"];
const PICTURE_VECTORS = ["image_embeds", "image_embeddings"];
const POOLED = "pooler_output";
const AUDIO_VECTORS = ["audio_embeds", "audio_embeddings", POOLED];
const HIDDEN = ["last_hidden_state", "token_embeddings"];

/** Throws `weights_missing`, `misconfigured` for what has no pooling, `runner_failed` for graphs of another kind. */
export async function loadEmbedder(assets: Assets, declared?: EmbedDeclaration): Promise<Embedder> {
  const facts = await readTextFacts(assets, declared);
  const tokenizer = await loadEncoderTokenizer(assets, facts);
  const other = [TOWERS.vision, TOWERS.audio].find((tower) => assets.has(TOWERS.text) && assets.has(tower));
  const textGraph = await assets.graph(other ? TOWERS.text : WHOLE);
  const visionGraph = other ? await assets.graph(other) : textGraph;
  const hears = visionGraph.inputs.some(({ name }) => name === FEATURES);
  const sees = visionGraph.inputs.some(({ name }) => name === PIXELS);
  const features = hears ? await loadClapFeatures(assets) : undefined;
  const config = sees ? await readPictureConfig(assets) : undefined;
  const texts = textTower(textGraph, { facts, tokenizer, features, config });
  if (features) return { tokenizer, facts, texts, sounds: audioTower(visionGraph, features) };
  return { tokenizer, facts, texts, ...(config && { pictures: visionTower(visionGraph, config) }) };
}

const PIXELS = "pixel_values";
const FEATURES = "input_features";

/** What is known of the other tower, which a graph of both wants something for. */
type OtherTower = { features: ClapFeatures | undefined; config: PreprocessorConfig | undefined };

function textTower(
  graph: Graph,
  { facts, tokenizer, features, config }: Pick<Embedder, "facts" | "tokenizer"> & OtherTower,
): Embedder["texts"] {
  const read = readerOf(graph, facts);
  const { padding } = tokenizer;
  return async (rows) => {
    const feeds = feedsOfRows(graph, rows, { padding, ...(facts.isSiglip && { length: facts.most }) });
    const silence = features
      ? soundFeeds(graph, features, [await features.of(new Float32Array(1), createPause())])
      : {};
    const results = await graph.run({ ...(await idleFeeds(graph, feeds, config)), ...silence, ...feeds });
    return read(
      results,
      rows.map(({ ids }) => ids.length),
    );
  };
}

type Reader = (results: Record<string, Tensor>, lengths: readonly number[]) => Float32Array[];

/** A graph's own vectors come before the tokens'. */
function readerOf({ outputs, inputs }: Graph, { pooling, isWhole, isSiglip }: TextFacts): Reader {
  const named = (names: readonly string[]) => outputs.find(({ name }) => names.includes(name));
  const own = named(TEXT_VECTORS);
  if (own) return (results) => rowsOf(got(results, own));
  const hidden = named(HIDDEN) ?? outputs.find(({ name, shape }) => shape.length === 3 && !name.startsWith("present."));
  const isOfTwo = isSiglip || inputs.some(({ name }) => name === PIXELS || name === FEATURES) || !hidden;
  const pooled = named([POOLED]);
  if (pooled && isOfTwo) return (results) => rowsOf(got(results, pooled));
  if (!hidden) throw unusable(`it gives none of ${[...TEXT_VECTORS, ...HIDDEN].join(", ")}`);
  return poolingReader(hidden, { pooling, isWhole });
}

function poolingReader(hidden: Port, { pooling, isWhole }: { pooling: Pooling | undefined; isWhole: boolean }): Reader {
  if (!isWhole) throw unusable("a layer follows it (modules.json) that is not in the graph");
  if (pooling) return (results, lengths) => poolRows(got(results, hidden), lengths, pooling);
  throw new ForecourtError(
    "misconfigured",
    "nothing says which of the tokens' vectors stand for a text: set embed.pooling in the model file (mean, cls or last)",
  );
}

function visionTower(graph: Graph, config: PreprocessorConfig): NonNullable<Embedder["pictures"]> {
  const port = requirePort(graph.inputs, { names: [PIXELS], of: "vision tower" });
  const vectors = [...PICTURE_VECTORS, POOLED].flatMap((name) => graph.outputs.filter((each) => each.name === name))[0];
  if (!vectors) throw unusable(`it gives none of ${[...PICTURE_VECTORS, POOLED].join(", ")}`);
  return async (pictures) => {
    const feeds = { [port.name]: await pictureTensor(port, pictures, config) };
    const results = await graph.run({ ...(await idleFeeds(graph, feeds)), ...feeds });
    return rowsOf(got(results, vectors));
  };
}

function audioTower(graph: Graph, features: ClapFeatures): NonNullable<Embedder["sounds"]> {
  const vectors = graph.outputs.find(({ name }) => AUDIO_VECTORS.includes(name));
  if (!vectors) throw unusable(`it gives none of ${AUDIO_VECTORS.join(", ")}`);
  return async (sounds) => {
    const heard: Float32Array[] = [];
    for (const sound of sounds) heard.push(await hearSound({ ...sound, features }));
    const rows: Float32Array[] = [];
    // Fusion, as transformers writes it, is exported for one sound at a time.
    for (const pass of features.shape[0] > 1 ? heard.map((each) => [each]) : [heard]) {
      const feeds = soundFeeds(graph, features, pass);
      rows.push(...rowsOf(got(await graph.run({ ...(await idleFeeds(graph, feeds)), ...feeds }), vectors)));
    }
    return rows;
  };
}

/** A graph of both towers wants something for the other one too: the least that it takes. */
async function idleFeeds(
  { inputs }: Graph,
  given: Record<string, Tensor>,
  config?: PreprocessorConfig,
): Promise<Record<string, Tensor>> {
  const idle: Record<string, Tensor> = {};
  for (const port of inputs) {
    if (given[port.name] !== undefined) continue;
    if (IDS.includes(port.name)) idle[port.name] = leastIds(port);
    if (port.name === PIXELS && config) idle[port.name] = await pictureTensor(port, [ONE_PIXEL], config);
  }
  return idle;
}

const IDS = ["input_ids", "attention_mask"];
const ONE_PIXEL: Pixels = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 };

function leastIds({ name, dtype, shape: [, length] }: Port): Tensor {
  const size = typeof length === "number" && length > 0 ? length : 1;
  return tensorOf(dtype, [1, size], new Array<number>(size).fill(name === "attention_mask" ? 1 : 0));
}

function got(results: Record<string, Tensor>, { name }: Port): Tensor {
  const tensor = results[name];
  invariant(tensor, `a graph gives its own output ${name}`);
  return tensor;
}

const unusable = (why: string) => new ForecourtError("runner_failed", `the graph cannot be used to embed: ${why}`);

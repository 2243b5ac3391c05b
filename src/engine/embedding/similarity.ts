// How alike a picture and texts are to a model of both: CLIP and SigLIP, in one graph or in one for each.
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { sigmoid } from "../onnx/activation.ts";
import { cosine } from "../tensor/cosine.ts";
import { softmax } from "../tensor/softmax.ts";
import { requirePort, toFloats } from "../tensor/tensor.ts";
import { type EncodedText, type EncoderTokenizer, loadEncoderTokenizer } from "../text/encoder-tokenizer.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import { loadEmbedder, TOWERS, WHOLE } from "./embedder.ts";
import { rowsOf } from "./pooling.ts";
import { readPictureConfig } from "./siglip.ts";
import { readTextFacts, type TextFacts } from "./text-facts.ts";
import { feedsOfRows } from "./text-rows.ts";

export const similarityDeclaration = Type.Object(
  {
    logitScale: Type.Number({
      minimum: -20,
      maximum: 20,
      description:
        "The parameter logit_scale of the checkpoint, a logarithm: logits are exp(logitScale) · cosine + logitBias",
    }),
    logitBias: Type.Number({ default: 0, description: "The checkpoint's logit_bias, which SigLIP has" }),
  },
  {
    additionalProperties: false,
    description:
      "For image-text-similarity with text_model.onnx and vision_model.onnx, which do not hold these numbers",
  },
);

export type SimilarityDeclaration = Static<typeof similarityDeclaration>;

export type Similarity = {
  /** One for each text. */
  logits: number[];
  /** From -1 to 1. */
  cosines: number[];
};

export type SimilarityModel = {
  tokenizer: EncoderTokenizer;
  /** Ids that a text may have, marks included. */
  most: number;
  compare(picture: Pixels, texts: readonly EncodedText[]): Promise<Similarity>;
  /** Shares of one for CLIP; for SigLIP, how likely each is by itself. */
  scoresOf(logits: readonly number[]): number[];
};

/** transformers.js' layout. Throws `weights_missing`, and `misconfigured` for two graphs whose `declared` is absent. */
export async function loadSimilarity(assets: Assets, declared?: SimilarityDeclaration): Promise<SimilarityModel> {
  const facts = await readTextFacts(assets);
  const scoresOf: SimilarityModel["scoresOf"] = (logits) => (facts.isSiglip ? logits.map(sigmoid) : softmax(logits));
  const inTwo = !assets.has(WHOLE) && assets.has(TOWERS.text) && assets.has(TOWERS.vision);
  const { tokenizer, compare } = inTwo ? await twoGraphs(assets, declared) : await oneGraph(assets, facts);
  return { tokenizer, most: facts.most, compare, scoresOf };
}

type Compared = Pick<SimilarityModel, "tokenizer" | "compare">;

async function oneGraph(assets: Assets, facts: TextFacts): Promise<Compared> {
  const tokenizer = await loadEncoderTokenizer(assets, facts);
  const config = await readPictureConfig(assets);
  const graph = await assets.graph(WHOLE);
  const pixelValues = requirePort(graph.inputs, { names: ["pixel_values"], of: "model of pictures and texts" });
  return {
    tokenizer,
    async compare(picture, texts) {
      const results = await graph.run({
        ...feedsOfRows(graph, texts, { padding: tokenizer.padding, ...(facts.isSiglip && { length: facts.most }) }),
        [pixelValues.name]: await pictureTensor(pixelValues, [picture], config),
      });
      const [seen = new Float32Array()] = rowsOf(outputOf(results, "image_embeds"));
      const words = rowsOf(outputOf(results, "text_embeds"));
      const logits = Array.from(toFloats(outputOf(results, "logits_per_image")));
      return { logits, cosines: words.map((each) => cosine(seen, each)) };
    },
  };
}

/** As SiglipModel and CLIPModel compute them of their towers' vectors. */
async function twoGraphs(assets: Assets, declared: SimilarityDeclaration | undefined): Promise<Compared> {
  if (!declared)
    throw new ForecourtError(
      "misconfigured",
      `without ${WHOLE} nothing says how cosines become logits: set similarity.logitScale and similarity.logitBias in the model file, as the checkpoint has them`,
    );
  const { tokenizer, texts: read, pictures: see } = await loadEmbedder(assets);
  const { logitScale, logitBias } = declared;
  return {
    tokenizer,
    async compare(picture, texts) {
      const [seen = new Float32Array()] = (await see?.([picture])) ?? [];
      const cosines = (await read(texts)).map((each) => cosine(seen, each));
      return { logits: cosines.map((each) => Math.exp(logitScale) * each + logitBias), cosines };
    },
  };
}

function outputOf(results: Awaited<ReturnType<Graph["run"]>>, name: string) {
  const tensor = results[name];
  invariant(tensor, `a graph of pictures and texts gives ${name}`);
  return tensor;
}

// How well texts describe a picture, with a model of the CLIP family.
import { invariant } from "../../core/errors.ts";
import { type Assets, definePipeline, type Pixels } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import type { Tensor } from "../../core/tensor.ts";
import { readPicture } from "../media/picture.ts";
import { cosine } from "../tensor/cosine.ts";
import { softmax } from "../tensor/softmax.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { loadClipTokenizer } from "../text/tokenizer.ts";
import { type PreprocessorConfig, preprocess } from "../vision/preprocess.ts";

const input = Type.Object({
  image_url: mediaUrl("image", "The picture: URL or data URI."),
  texts: Type.Array(Type.String({ minLength: 1, maxLength: 20_000 }), {
    minItems: 1,
    maxItems: 64,
    description: "Descriptions to compare with the picture, or names of kinds with a template.",
  }),
  template: Type.String({
    default: "{}",
    pattern: "\\{\\}",
    maxLength: 1000,
    description:
      'What the model reads of each text, in place of {}: "a photo of a {}" tells kinds of things apart better.',
  }),
});

const perText = (description: string) =>
  Type.Array(Type.Number(), { description: `${description}, in the order of the texts.` });

const output = Type.Object({
  classes: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), {
    description: "The texts with their shares, the likeliest first.",
  }),
  scores: perText("Share of each text among all, from 0 to 1 (softmax of the logits)"),
  logits: perText("The model's own score of each text"),
  similarities: perText("Cosine between the picture's embedding and each text's, from -1 to 1"),
});

export const imageTextSimilarity = definePipeline({
  summary: "Scores how well each of several texts describes a picture.",
  input,
  output,
  estimate: ({ texts }) => ({ images: 1, texts: texts.length }),
  async load(assets) {
    const compare = await loadClip(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { image_url, texts, template } = task.input;
        const pixels = await readPicture({ task, codec: assets.codec, url: image_url, field: "image_url" });
        const { logits, picture, words, dropped } = await compare(
          pixels,
          texts.map((text) => template.split("{}").join(text)),
        );
        if (dropped > 0) task.log(`some texts are too long: ${dropped} tokens in all are not read`);
        const scores = softmax(logits);
        const value = {
          classes: texts.map((label, i) => ({ label, score: scores[i] ?? 0 })).toSorted((a, b) => b.score - a.score),
          scores,
          logits,
          similarities: texts.map((_, i) => cosine(picture, rowOf(words, i, texts.length))),
        };
        yield { index, step: { type: "output", value, units: { images: 1, texts: texts.length } } };
      }
    };
  },
});

type Comparison = {
  /** One for each text. */
  logits: number[];
  /** Embedding of the picture. */
  picture: Float32Array;
  /** [texts, width] */
  words: Float32Array;
  /** Tokens of all texts that the model did not read. */
  dropped: number;
};

/** transformers.js' layout: tokenizer and configs in the root, the graph of both towers in onnx/. */
async function loadClip(assets: Assets): Promise<(pixels: Pixels, texts: string[]) => Promise<Comparison>> {
  const tokenizer = await loadClipTokenizer(assets, "");
  const config = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const graph = await assets.graph("onnx/model.onnx");
  const port = (name: string) => requirePort(graph.inputs, { names: [name], of: "CLIP model" });
  const [ids, pixelValues] = [port("input_ids"), port("pixel_values")];
  const mask = graph.inputs.find(({ name }) => name === "attention_mask");

  return async (pixels, texts) => {
    const encoded = texts.map((text) => tokenizer.encode(text));
    const length = Math.max(...encoded.map((each) => each.ids.length));
    const shape = [texts.length, length];
    const ones = encoded.flatMap((each) => Array.from({ length }, (_, i) => (i < each.ids.length ? 1 : 0)));
    const { planes, width, height } = preprocess(pixels, config);
    const results = await graph.run({
      [ids.name]: tensorOf(
        ids.dtype,
        shape,
        encoded.flatMap((each) => tokenizer.pad(each.ids, length)),
      ),
      ...(mask && { [mask.name]: tensorOf(mask.dtype, shape, ones) }),
      [pixelValues.name]: tensorOf(pixelValues.dtype, [1, 3, height, width], planes),
    });
    return {
      logits: Array.from(floatsOf(results, "logits_per_image")),
      picture: floatsOf(results, "image_embeds"),
      words: floatsOf(results, "text_embeds"),
      dropped: encoded.reduce((sum, each) => sum + each.dropped, 0),
    };
  };
}

function floatsOf(results: Record<string, Tensor>, name: string): Float32Array {
  const tensor = results[name];
  invariant(tensor, `a CLIP graph gives ${name}`);
  return toFloats(tensor);
}

function rowOf(matrix: Float32Array, row: number, rows: number): Float32Array {
  const width = matrix.length / rows;
  return matrix.subarray(row * width, (row + 1) * width);
}

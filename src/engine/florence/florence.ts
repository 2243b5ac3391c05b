// Florence-2 in transformers.js' layout: a picture and a question become one row of vectors, from which the answer is read.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { searchAnswer } from "../beams/beam-search.ts";
import { loadEncoderDecoder } from "../beams/encoder-decoder.ts";
import { beamSettingsOf, type GenerationConfig } from "../beams/settings.ts";
import { joinAlong } from "../tensor/rows.ts";
import { tensorOf } from "../tensor/tensor.ts";
import type { TemplateConfig } from "../text/chat-template.ts";
import { type LanguageTokenizer, loadLanguageTokenizer } from "../text/language-tokenizer.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";
import { wrong } from "./question.ts";

export type Asked = {
  pixels: Pixels;
  question: string;
  /** Absent: as many as generation_config.json says. */
  beams: number | undefined;
  /** Tokens of the answer. */
  most: number;
  signal: AbortSignal;
};

export type Written = { text: string; tokens: number };

export type Florence = {
  /** Yields how many tokens there are. Throws `invalid_input` for a question that is too long. */
  read(asked: Asked): AsyncGenerator<number, Written>;
};

type Config = GenerationConfig & {
  text_config?: GenerationConfig & { max_position_embeddings?: number };
  max_position_embeddings?: number;
};

export async function loadFlorence(assets: Assets): Promise<Florence> {
  const config = await assets.json<Config>("config.json");
  const own = assets.has("generation_config.json") ? await assets.json<GenerationConfig>("generation_config.json") : {};
  const words = assets.has("tokenizer_config.json") ? await assets.json<TemplateConfig>("tokenizer_config.json") : {};
  const settings = beamSettingsOf({ ...config.text_config, ...own });
  const positions = config.text_config?.max_position_embeddings ?? config.max_position_embeddings ?? 1024;
  const pictures = await assets.json<PreprocessorConfig>("preprocessor_config.json");
  const tokenizer = await loadLanguageTokenizer(assets, words);
  const marks = marksOf(tokenizer);
  const [embedding, vision, encoder] = [
    await assets.graph("onnx/embed_tokens.onnx"),
    await assets.graph("onnx/vision_encoder.onnx"),
    await assets.graph("onnx/encoder_model.onnx"),
  ];
  const floats = vision.inputs[0] ?? { dtype: "float32" as const };
  const embed = (ids: Tensor) => only(embedding, { input_ids: ids }, "inputs_embeds");
  const decoder = await loadEncoderDecoder(assets, { path: "onnx/decoder_model_merged.onnx", embed });

  return {
    async *read({ pixels, question, beams, most, signal }) {
      const ids = [marks.begin, ...tokenizer.encode(question), marks.end];
      // Its kind of picture is known: CLIP's processor, which does not crop here.
      const pixel_values = await pictureTensor(floats, [pixels], { do_center_crop: false, ...pictures });
      const seen = await only(vision, { pixel_values }, "image_features");
      const length = (seen.shape[1] ?? 0) + ids.length;
      if (length > positions) throw tooLong(length, positions);
      const inputs_embeds = joinAlong([seen, await embed(tensorOf("int64", [1, ids.length], ids))]);
      const attention_mask = tensorOf("int64", [1, length], new Array<number>(length).fill(1));
      const encoded = await only(encoder, { inputs_embeds, attention_mask }, "last_hidden_state");
      const tokens = yield* searchAnswer({
        settings: { ...settings, ...(beams !== undefined && { beams }) },
        step: decoder.begin(encoded),
        // The decoder's places are as many, and the start token has the first.
        most: Math.min(most, positions - 1),
        signal,
      });
      return { text: textOf(tokens, tokenizer, marks), tokens: tokens.length };
    },
  };
}

type Marks = { begin: number; end: number; padding: number | undefined };

function marksOf(tokenizer: LanguageTokenizer): Marks {
  const [begin, end] = [tokenizer.idOf("<s>"), tokenizer.idOf("</s>")];
  if (begin === undefined || end === undefined)
    throw new ForecourtError("weights_missing", "tokenizer.json has no <s> and </s>, which Florence-2 reads");
  return { begin, end, padding: tokenizer.idOf("<pad>") };
}

/** With the names of places, which some files count among the special ones. */
function textOf(tokens: readonly number[], tokenizer: LanguageTokenizer, { begin, end, padding }: Marks): string {
  const bytes = tokens
    .filter((id) => id !== begin && id !== end && id !== padding)
    .flatMap((id) => [...tokenizer.token(id).bytes]);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

async function only(graph: Graph, feeds: Record<string, Tensor>, output: string): Promise<Tensor> {
  const results = await graph.run(feeds);
  const tensor = results[output] ?? Object.values(results)[0];
  if (!tensor) throw new ForecourtError("runner_failed", `a graph of the model gives no "${output}"`);
  return tensor;
}

function tooLong(length: number, positions: number): ForecourtError {
  const msg = `The question is too long: with the picture it has ${length} tokens, and the model reads ${positions}`;
  return wrong("text_input", msg);
}

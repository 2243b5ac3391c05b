// A tiny Florence-2 of random weights against Python's transformers: features, tokens by beams and greedily, and answers.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parse } from "../../../src/core/schema.ts";
import { searchAnswer } from "../../../src/engine/beams/beam-search.ts";
import { loadEncoderDecoder } from "../../../src/engine/beams/encoder-decoder.ts";
import { beamSettingsOf, type GenerationConfig } from "../../../src/engine/beams/settings.ts";
import { questionOf } from "../../../src/engine/florence/question.ts";
import { readImage } from "../../../src/engine/pipelines/read-image.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { joinAlong } from "../../../src/engine/tensor/rows.ts";
import { tensorOf, toFloats } from "../../../src/engine/tensor/tensor.ts";
import { loadLanguageTokenizer } from "../../../src/engine/text/language-tokenizer.ts";
import { preprocess } from "../../../src/engine/vision/preprocess.ts";
import { type Answer, cases, NAMES, openFlorence, PICTURE } from "../support/florence.ts";
import { runOnce } from "../support/load.ts";

setDefaultTimeout(120_000);

const REGION = { x1: 1, y1: 20, x2: 300, y2: 999 };
const inputOf = ({ task, input }: Pick<Answer, "task" | "input">) => ({
  image_url: PICTURE,
  task: NAMES[task],
  max_tokens: 40,
  ...(input.startsWith("<loc_") ? { region: REGION } : input !== "" && { text_input: input }),
});

const ask = (input: Record<string, unknown>, more: { signal?: AbortSignal } = {}) =>
  runOnce(readImage, { assets: openFlorence(), input, ...more });

test("every task asks what Florence2Processor asks", async () => {
  const tokenizer = await loadLanguageTokenizer(openFlorence(), {});
  expect(cases.answers).toHaveLength(Object.keys(NAMES).length);
  for (const answer of cases.answers) {
    const question = questionOf(parse(readImage.input, inputOf(answer)));
    expect([0, ...tokenizer.encode(question), 2]).toEqual(answer.prompt);
  }
});

/** Of the picture, [1, length, width]. */
async function featuresOf() {
  const assets = openFlorence();
  const pixels = await createCodec().decode(new Uint8Array(Buffer.from(PICTURE.split(",")[1] ?? "", "base64")));
  const { planes, width, height } = await preprocess(pixels, await assets.json("preprocessor_config.json"));
  const vision = await assets.graph("onnx/vision_encoder.onnx");
  const { image_features } = await vision.run({ pixel_values: tensorOf("float32", [1, 3, height, width], planes) });
  if (!image_features) throw new Error("no features");
  return image_features;
}

test("the picture's features are Python's within 1e-3", async () => {
  const got = toFloats(await featuresOf());
  expect(got.length).toBe(cases.features.length);
  const apart = cases.features.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN)));
  expect(Math.max(...apart)).toBeLessThan(1e-3);
});

async function search(prompt: number[], others: GenerationConfig): Promise<number[]> {
  const assets = openFlorence();
  const embedding = await assets.graph("onnx/embed_tokens.onnx");
  const embed = async (ids: ReturnType<typeof tensorOf>) => {
    const { inputs_embeds } = await embedding.run({ input_ids: ids });
    if (!inputs_embeds) throw new Error("no embeddings");
    return inputs_embeds;
  };
  const inputs_embeds = joinAlong([await featuresOf(), await embed(tensorOf("int64", [1, prompt.length], prompt))]);
  const length = inputs_embeds.shape[1] ?? 0;
  const attention_mask = tensorOf("int64", [1, length], new Array(length).fill(1));
  const encoder = await assets.graph("onnx/encoder_model.onnx");
  const { last_hidden_state } = await encoder.run({ inputs_embeds, attention_mask });
  if (!last_hidden_state) throw new Error("no encoding");
  const decoder = await loadEncoderDecoder(assets, { path: "onnx/decoder_model_merged.onnx", embed });
  const settings = beamSettingsOf({ ...(await assets.json<GenerationConfig>("generation_config.json")), ...others });
  const signal = new AbortController().signal;
  const searching = searchAnswer({ settings, step: decoder.begin(last_hidden_state), most: 40, signal });
  let step = await searching.next();
  while (!step.done) step = await searching.next();
  return step.value;
}

for (const { task, prompt, beams, greedy, free } of cases.answers) {
  test(`${task}: tokens are Python's, by three beams, greedily, and by beams that do not stop early`, async () => {
    expect(await search(prompt, {})).toEqual(beams.slice(1));
    expect(await search(prompt, { num_beams: 1 })).toEqual(greedy.slice(1));
    expect(await search(prompt, { early_stopping: false, length_penalty: 0.5 })).toEqual(free.slice(1));
  });
}

describe("the pipeline", () => {
  for (const answer of cases.answers.filter(({ parsed }) => typeof parsed === "string")) {
    test(`${answer.task} answers Python's text`, async () => {
      const { output, units } = await ask(inputOf(answer));
      expect(output).toEqual({ results: String(answer.parsed) });
      expect(units).toEqual({ images: 1, output_tokens: answer.beams.length - 1 });
    });
  }

  test("a task of places answers them with a picture that shows them", async () => {
    const [answer] = cases.answers.filter(({ task }) => task === "<OCR_WITH_REGION>");
    if (!answer) throw new Error("there is such a task");
    const { output, files } = await ask(inputOf(answer));
    expect(Object.keys(output.results)).toEqual(["quad_boxes"]);
    expect(output.image).toMatchObject({ content_type: "image/jpeg", file_name: "image.jpeg" });
    const drawn = await createCodec().decode(files.get("image.jpeg") ?? new Uint8Array());
    expect([drawn.width, drawn.height]).toEqual([output.image?.width ?? 0, output.image?.height ?? 0]);
  });

  test("num_beams and max_tokens of the request go before the model's own", async () => {
    const [answer] = cases.answers;
    if (!answer) throw new Error("there is an answer");
    const greedy = await ask({ ...inputOf(answer), num_beams: 1 });
    expect(greedy.units.output_tokens).toBe(answer.greedy.length - 1);
    const short = await ask({ ...inputOf(answer), max_tokens: 2 });
    expect(short.units.output_tokens).toBe(2);
  });

  test("what a task needs and what it does not take is said with the field", async () => {
    const problemOf = async (input: Record<string, unknown>) => {
      const failure = await ask({ image_url: PICTURE, ...input }).catch((error) => error);
      return [failure.code, failure.problems?.[0]?.loc.at(-1), failure.problems?.[0]?.type];
    };
    expect(await problemOf({ task: "open-vocabulary-detection" })).toEqual(["invalid_input", "text_input", "missing"]);
    expect(await problemOf({ task: "region-to-category" })).toEqual(["invalid_input", "region", "missing"]);
    expect(await problemOf({ task: "caption", text_input: "x" })).toEqual([
      "invalid_input",
      "text_input",
      "value_error",
    ]);
    expect(await problemOf({ task: "caption", region: REGION })).toEqual(["invalid_input", "region", "value_error"]);
    const long = { task: "open-vocabulary-detection", text_input: "car ".repeat(200) };
    expect(await problemOf(long)).toEqual(["invalid_input", "text_input", "value_error"]);
    expect(await problemOf({ image_url: "data:image/png;base64,AAAA" })).toEqual([
      ...["invalid_input", "image_url", "image_load_error"],
    ]);
  });

  test("an abort ends it between two tokens", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(ask({ image_url: PICTURE }, { signal: stop.signal })).rejects.toThrow("enough");
  });
});

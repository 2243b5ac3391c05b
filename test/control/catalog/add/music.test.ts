// Models of music and sound: their layouts on the Hub.
import { expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";
import { failureOf } from "../../weights/setting.ts";
import { everywhere } from "./repository-of.ts";

const MB = 1e6;

/** `tree`: megabytes by path. */
const repository = (repo: string, config: Record<string, unknown>, tree: Record<string, number>): Repository => ({
  repo,
  commit: "c".repeat(40),
  licence: "cc-by-nc-4.0",
  files: Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) })),
  configs: { "config.json": config },
});

const musicgen = repository(
  "Xenova/musicgen-small",
  { model_type: "musicgen", architectures: ["MusicgenForConditionalGeneration"] },
  {
    "config.json": 0.01,
    "generation_config.json": 0.001,
    "tokenizer.json": 2,
    "tokenizer_config.json": 0.02,
    "README.md": 0.01,
    "onnx/text_encoder.onnx": 439,
    "onnx/text_encoder_quantized.onnx": 110,
    "onnx/decoder_model_merged.onnx": 1690,
    "onnx/decoder_model_merged_quantized.onnx": 426,
    "onnx/encodec_decode.onnx": 118,
    "onnx/encodec_decode_quantized.onnx": 59,
    "onnx/build_delay_pattern_mask.onnx": 0.035,
  },
);

test("MusicGen makes music by its three graphs, for no commercial use, priced by the second", () => {
  const { model, files } = recognise(musicgen);
  expect(model).toMatchObject({
    pipeline: "make-music",
    category: "text-to-audio",
    licence: { commercial: false },
    price: { unit: "second" },
  });
  expect(files.map(({ path }) => path).sort()).toEqual([
    "config.json",
    "generation_config.json",
    "onnx/decoder_model_merged.onnx",
    "onnx/encodec_decode.onnx",
    "onnx/text_encoder.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  expect(recognise(musicgen, { dtypes: everywhere("q8") }).model.graphs).toEqual({
    "onnx/text_encoder.onnx": "onnx/text_encoder_quantized.onnx",
    "onnx/decoder_model_merged.onnx": "onnx/decoder_model_merged_quantized.onnx",
    "onnx/encodec_decode.onnx": "onnx/encodec_decode_quantized.onnx",
  });
});

const clap = repository(
  "Xenova/clap-htsat-unfused",
  { model_type: "clap", architectures: ["ClapModel"] },
  {
    "config.json": 0.01,
    "preprocessor_config.json": 0.001,
    "tokenizer.json": 2,
    "tokenizer_config.json": 0.001,
    "onnx/model.onnx": 614,
    "onnx/model_quantized.onnx": 160,
    "onnx/text_model.onnx": 501,
    "onnx/audio_model.onnx": 118,
  },
);

test("CLAP compares texts with sounds by one graph, or embeds them by one each where that is wished", () => {
  const graphs = (draft: ReturnType<typeof recognise>) =>
    draft.files.map(({ path }) => path).filter((path) => path.endsWith(".onnx"));
  const compares = recognise(clap);
  expect(compares.model).toMatchObject({ pipeline: "audio-text-similarity", category: "audio-classification" });
  expect(graphs(compares)).toEqual(["onnx/model.onnx"]);
  const embeds = recognise(clap, { pipeline: "embed" });
  expect(embeds.model).toMatchObject({ pipeline: "embed", limits: { maxBatch: 8 } });
  expect(graphs(embeds).sort()).toEqual(["onnx/audio_model.onnx", "onnx/text_model.onnx"]);
  const small = { ...clap, files: clap.files.filter(({ path }) => !path.includes("audio_model")) };
  expect(graphs(recognise(small, { pipeline: "embed" }))).toEqual(["onnx/model.onnx"]);
});

test("Basic Pitch is known by its graph's name, in whatever folder", () => {
  const files = ["README.md", "saved_models/icassp_2022/nmp.onnx"].map((path) => ({ path, bytes: 230_444 }));
  const { model } = recognise({
    repo: "spotify/basic-pitch",
    commit: "c".repeat(40),
    licence: "apache-2.0",
    files,
    configs: {},
  });
  expect(model).toMatchObject({
    pipeline: "audio-to-midi",
    graphs: { "nmp.onnx": "saved_models/icassp_2022/nmp.onnx" },
    licence: { commercial: true },
  });
});

test("one without a part is refused by the part's name", async () => {
  const files = musicgen.files.filter(({ path }) => !path.includes("encodec"));
  const failure = await failureOf(Promise.try(() => recognise({ ...musicgen, files })));
  expect(failure).toMatchObject({ code: "misconfigured", message: expect.stringContaining("encodec_decode") });
});

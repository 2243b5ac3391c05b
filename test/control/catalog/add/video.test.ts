// Models of short videos: their layouts on the Hub.
import { expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";

const repository = (configs: Repository["configs"], tree: readonly string[]): Repository => ({
  repo: "somebody/videos",
  commit: "c".repeat(40),
  licence: "cc-by-nc-4.0",
  files: [...Object.keys(configs), ...tree, "README.md"].map((path) => ({ path, bytes: 1_000_000 })),
  configs,
});

const DDIM = { _class_name: "DDIMScheduler", beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 };
const EULER = {
  _class_name: "EulerDiscreteScheduler",
  ...{ timestep_type: "continuous", sigma_min: 0.002, sigma_max: 700, use_karras_sigmas: true },
  ...{ prediction_type: "v_prediction", timestep_spacing: "leading", interpolation_type: "linear" },
};
const graphs = (parts: readonly string[]) => parts.map((part) => `${part}/model.onnx`);

test("ModelScope's layout makes videos from prompts, for no commercial use, priced by the second", () => {
  const parts = graphs(["text_encoder", "unet", "vae_decoder"]);
  const configs = {
    "model_index.json": { _class_name: "TextToVideoSDPipeline" },
    "scheduler/scheduler_config.json": DDIM,
    "unet/config.json": { sample_size: 32 },
  };
  const tokenizer = ["tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json"];
  const { model, files } = recognise(
    repository(configs, [...parts, "vae_encoder/model.onnx", "unet/model.onnx_data", ...tokenizer]),
  );
  expect(model).toMatchObject({
    pipeline: "text-to-video",
    category: "text-to-video",
    licence: { commercial: false },
    price: { unit: "second" },
  });
  expect(files.map(({ path }) => path).sort()).toEqual(
    [...Object.keys(configs), ...parts, "unet/model.onnx_data", ...tokenizer].sort(),
  );
});

test("Stable Video Diffusion lets pictures move, by as many frames as it was trained for", () => {
  const parts = graphs(["image_encoder", "unet", "vae_encoder", "vae_decoder"]);
  const configs = {
    "model_index.json": { _class_name: "StableVideoDiffusionPipeline" },
    "scheduler/scheduler_config.json": EULER,
    "unet/config.json": { num_frames: 25 },
    "feature_extractor/preprocessor_config.json": {},
  };
  const { model, files } = recognise(repository(configs, parts));
  expect(model).toMatchObject({ pipeline: "image-to-video", defaults: { num_frames: 25 }, price: { unit: "second" } });
  expect(files.map(({ path }) => path).sort()).toEqual([...Object.keys(configs), ...parts].sort());
});

test("a sampler that is not known is refused, not left to the first request", () => {
  const configs = {
    "model_index.json": { _class_name: "TextToVideoSDPipeline" },
    "scheduler/scheduler_config.json": { _class_name: "HeunDiscreteScheduler" },
  };
  expect(() => recognise(repository(configs, graphs(["text_encoder", "unet", "vae_decoder"])))).toThrow(
    "no sampler HeunDiscreteScheduler",
  );
});

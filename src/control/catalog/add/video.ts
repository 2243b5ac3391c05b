// Models of short videos in diffusers' layout: ModelScope's and its kin, and Stable Video Diffusion. models.md 4.1.
import { createSampler } from "../../../engine/samplers/registry.ts";
import { configOf, type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const CONFIGS = ["model_index.json", "unet/config.json", "vae/config.json", "vae_decoder/config.json"];

/** Sixteen frames of 256 x 256 with guidance. */
const FROM_TEXT_BYTES = 2e9;
/** Fourteen frames of 1024 x 576 with guidance, and eight of them decoded together. */
const FROM_PICTURE_BYTES = 9e9;

export const textToVideo: Family = (repository, wishes) => {
  const scheduler = samplerFiles(repository);
  const parts = ["text_encoder", "unet", "vae_decoder"];
  const graphs = pickGraphs(
    repository,
    parts.map((part) => `${part}/model.onnx`),
    wishes,
  );
  return {
    pipeline: "text-to-video",
    category: "text-to-video",
    description: "Makes a short video from a text prompt",
    graphs,
    files: [
      ...scheduler,
      ...present(repository, [...CONFIGS, "text_encoder/config.json"]),
      ...tokenizerFiles(repository, "tokenizer/"),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: FROM_TEXT_BYTES,
    unit: "second",
    unsure: [
      "An export may make videos of one number of frames only: its error names it, for `num_frames` in defaults.",
    ],
  };
};

export const imageToVideo: Family = (repository, wishes) => {
  const scheduler = samplerFiles(repository);
  const parts = ["image_encoder", "unet", "vae_encoder", "vae_decoder"];
  const graphs = pickGraphs(
    repository,
    parts.map((part) => `${part}/model.onnx`),
    wishes,
  );
  const { num_frames: frames } = configOf(repository, "unet/config.json");
  return {
    pipeline: "image-to-video",
    category: "image-to-video",
    description: "Makes a short video that begins at a picture",
    graphs,
    files: [
      ...scheduler,
      ...present(repository, [...CONFIGS, "feature_extractor/preprocessor_config.json"]),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: typeof frames === "number" ? { num_frames: frames } : {},
    working: FROM_PICTURE_BYTES,
    unit: "second",
    unsure: [],
  };
};

/** Refuses what no sampler here can do. */
function samplerFiles(repository: Repository) {
  const files = requireFiles(repository, ["scheduler/scheduler_config.json"]);
  createSampler(configOf(repository, "scheduler/scheduler_config.json"), 1);
  return files;
}

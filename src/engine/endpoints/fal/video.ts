// fal's endpoints that make short videos (fal-protocol.md 12).
import type { FalEndpoint } from "../fal-endpoint.ts";
import { guidance, prompts, steps } from "./fields.ts";

const answer = { video: {}, seed: {} };

/** Stable Video Diffusion's, with their own frames per second. */
const fromPicture = (fps: number): FalEndpoint => ({
  pipeline: "image-to-video",
  inputs: {
    image_url: {},
    motion_bucket_id: {},
    cond_aug: {},
    seed: {},
    deep_cache: {
      accepted: "string",
      values: ["none", "minimum", "medium", "high"],
      default: "none",
      description: "How much faster at the cost of quality.",
    },
    steps: { input: "num_inference_steps", default: 20, minimum: 1, maximum: 100 },
    fps: { default: fps, minimum: 1, maximum: 25 },
  },
  outputs: answer,
});

const ofPictures = (usual: number) =>
  ({
    accepted: "number",
    default: usual,
    refusal: "This says how a picture moves, and this model draws its video from words alone: leave it out",
  }) as const;

export const video: Record<string, FalEndpoint> = {
  "fal-ai/fast-svd": fromPicture(10),
  "fal-ai/stable-video": fromPicture(25),
  // fal draws a picture first and lets that move; its default size is more than a model of this pipeline was trained for.
  "fal-ai/fast-svd/text-to-video": {
    pipeline: "text-to-video",
    inputs: {
      ...prompts,
      negative_prompt: {
        default:
          "unrealistic, saturated, high contrast, big nose, painting, drawing, sketch, cartoon, anime, manga, render, CG, 3d, watermark, signature, label",
      },
      motion_bucket_id: ofPictures(127),
      cond_aug: ofPictures(0.02),
      steps: { input: "num_inference_steps", default: 20, minimum: 1, maximum: 100 },
      fps: { default: 10, minimum: 1, maximum: 25 },
      video_size: {},
      seed: {},
    },
    outputs: answer,
  },
  // Its default size at fal is twice what a model of this pipeline was trained for: the model's own stands.
  "fal-ai/fast-animatediff/text-to-video": {
    pipeline: "text-to-video",
    inputs: {
      ...prompts,
      negative_prompt: { default: "(bad quality, worst quality:1.2), ugly faces, bad anime" },
      num_frames: { default: 16, minimum: 1, maximum: 32 },
      ...steps(25, 50),
      ...guidance(7.5),
      fps: { default: 8, minimum: 1, maximum: 16 },
      motions: {
        accepted: "list",
        default: [],
        refusal: "Motions are adapters of AnimateDiff, which this model is not: say in the prompt how the camera moves",
      },
      video_size: {},
      seed: {},
    },
    outputs: answer,
  },
};

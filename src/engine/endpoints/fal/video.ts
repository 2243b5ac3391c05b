// fal's endpoints that make short videos (fal-protocol.md 12).
import type { FalEndpoint } from "../fal.ts";
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

export const video: Record<string, FalEndpoint> = {
  "fal-ai/fast-svd": fromPicture(10),
  "fal-ai/stable-video": fromPicture(25),
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

// fal's endpoints that make music and sounds from a description (fal-protocol.md 12).
import type { FalEndpoint } from "../fal-endpoint.ts";
import type { Fields } from "./fields.ts";

/** A model that writes code by code has no steps of its own to choose. */
const noSteps = (value: number, minimum: number, maximum: number): Fields[string] => ({
  accepted: "integer",
  default: value,
  minimum,
  maximum,
  description: "Steps of denoising.",
});

export const music: Record<string, FalEndpoint> = {
  "fal-ai/stable-audio": {
    pipeline: "make-music",
    inputs: {
      prompt: {},
      seconds_start: {
        accepted: "integer",
        default: 0,
        minimum: 0,
        maximum: 47,
        refusal: "Music begins at its beginning here: send 0",
      },
      seconds_total: { input: "duration", default: 30, maximum: 47 },
      steps: noSteps(100, 1, 1000),
    },
    outputs: { audio_file: { output: "audio" } },
  },
  // Its default at fal, 190 seconds, is longer than a model of this pipeline makes: the model's own stands.
  "fal-ai/stable-audio-25/text-to-audio": {
    pipeline: "make-music",
    inputs: {
      prompt: {},
      seconds_total: { input: "duration", minimum: 1, maximum: 190 },
      num_inference_steps: noSteps(8, 4, 8),
      guidance_scale: { minimum: 1, maximum: 25 },
      seed: {},
      sync_mode: {},
    },
    outputs: { audio: {}, seed: {} },
  },
  "cassetteai/music-generator": {
    pipeline: "make-music",
    inputs: { prompt: {}, duration: { required: true } },
    outputs: { audio_file: { output: "audio" } },
  },
};

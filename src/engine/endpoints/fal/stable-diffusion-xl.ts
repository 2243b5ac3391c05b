// fal's fast endpoints: SDXL, Lightning, Turbo, LCM, and the first Stable Diffusion.
import type { FalEndpoint } from "../fal-endpoint.ts";
import {
  checkedByVersion,
  count,
  embeddings,
  expandPrompt,
  type Fields,
  format,
  guidance,
  promptOnly,
  prompts,
  requestId,
  size,
  steps,
  strength,
  withoutPrompt,
} from "./fields.ts";

const picture: Fields = { image_url: {}, ...strength(0.95, 0.05) };
const masked: Fields = { ...picture, mask_url: {} };
const fitting: Fields = { preserve_aspect_ratio: {}, crop_output: {} };

/** The three endpoints of one model: from a prompt, from a picture, and a part of a picture. */
function threeWays(
  id: string,
  inputs: Fields,
  more: { picture?: Fields; outputs?: FalEndpoint["outputs"] } = {},
): Record<string, FalEndpoint> {
  const outputs = more.outputs && { outputs: more.outputs };
  return {
    [id]: { pipeline: "text-to-image", inputs, ...outputs },
    [`${id}/image-to-image`]: {
      pipeline: "image-to-image",
      inputs: { ...picture, ...inputs, ...more.picture },
      ...outputs,
    },
    [`${id}/inpainting`]: { pipeline: "inpaint", inputs: { ...masked, ...inputs }, ...outputs },
  };
}

const xl: Fields = {
  ...prompts,
  ...size("square_hd"),
  ...steps(25, 50),
  ...guidance(7.5),
  seed: {},
  sync_mode: {},
  ...count(8),
  loras: {},
  ...embeddings,
  ...checkedByVersion,
  ...expandPrompt,
  ...format,
  ...requestId,
};

const lightning: Fields = {
  ...promptOnly,
  ...size("square_hd"),
  num_inference_steps: { values: [1, 2, 4, 8], default: 4 },
  seed: {},
  sync_mode: {},
  ...count(8),
  ...embeddings,
  ...checkedByVersion,
  ...expandPrompt,
  ...format,
  ...requestId,
};

/** Distilled without guidance: it would only blur what they draw. */
const unguided = (endpoints: Record<string, FalEndpoint>) =>
  Object.fromEntries(
    Object.entries(endpoints).map(([id, endpoint]) => [id, { ...endpoint, fixed: { guidance_scale: 0 } }]),
  );

const modelName: Fields = { model_name: { names: "model" } };
const guidanceRescale: Fields = {
  guidance_rescale: {
    accepted: "number",
    minimum: 0,
    maximum: 1,
    default: 0,
    refusal: "Guidance is not rescaled here: leave guidance_rescale at 0",
  },
};

const turbo: Fields = {
  ...modelName,
  ...prompts,
  ...size("square"),
  ...steps(2, 12),
  seed: {},
  ...guidance(1),
  sync_mode: { default: true },
  ...count(8),
  enable_safety_checker: { default: false },
  ...expandPrompt,
};

const consistency: Fields = {
  ...modelName,
  ...prompts,
  ...size("square_hd"),
  ...steps(6, 32),
  seed: {},
  ...guidance(1.5),
  sync_mode: { default: true },
  ...count(8),
  ...checkedByVersion,
  ...expandPrompt,
  ...format,
  ...guidanceRescale,
  ...requestId,
};

const first: Fields = {
  ...prompts,
  ...size("square"),
  ...steps(25, 50),
  seed: {},
  ...guidance(7.5),
  sync_mode: {},
  ...count(8),
  loras: {},
  ...embeddings,
  ...checkedByVersion,
  enable_safety_checker: { default: false },
  ...expandPrompt,
  ...format,
  ...requestId,
};

const controlled: Fields = {
  ...prompts,
  control_image_url: {},
  controlnet_conditioning_scale: { default: 0.5, maximum: 1 },
  image_size: {},
  seed: {},
  ...guidance(7.5),
  sync_mode: {},
  ...count(8),
  loras: {},
  enable_safety_checker: { default: false },
  ...expandPrompt,
};
const needed: Fields = { image_url: { required: true }, ...strength(0.95, 0.05) };

const along = (preprocessor: "canny" | "depth", inputs: Fields): FalEndpoint => ({
  pipeline: "control-image",
  inputs: { ...controlled, ...inputs },
  fixed: { preprocessor },
  ...(preprocessor === "canny" && { outputs: withoutPrompt }),
});
const deepCache: Fields = { enable_deep_cache: { accepted: "boolean", default: false } };

/** fal's defaults differ by what is begun with. */
const controlledWays: Record<string, FalEndpoint> = {
  "fal-ai/fast-sdxl-controlnet-canny": along("canny", { ...steps(25, 50), ...deepCache }),
  "fal-ai/fast-sdxl-controlnet-canny/image-to-image": along("canny", { ...steps(35, 50), ...needed }),
  "fal-ai/fast-sdxl-controlnet-canny/inpainting": along("canny", {
    ...steps(35, 50),
    ...needed,
    mask_url: { required: true },
  }),
  "fal-ai/sd15-depth-controlnet": along("depth", { ...steps(35, 50), ...deepCache }),
};

const consistencyFromPicture: FalEndpoint = {
  pipeline: "image-to-image",
  inputs: {
    ...prompts,
    image_url: {},
    mask_url: {},
    ...strength(0.8, 0.01),
    seed: {},
    ...guidance(1),
    ...steps(4, 12),
    sync_mode: {},
    ...count(8),
    enable_safety_checks: { input: "enable_safety_checker", default: true },
    ...requestId,
  },
  outputs: {
    images: {},
    timings: {},
    seed: {},
    num_inference_steps: { field: "num_inference_steps" },
    request_id: { field: "request_id" },
    nsfw_content_detected: { output: "has_nsfw_concepts" },
  },
};

export const stableDiffusionXl: Record<string, FalEndpoint> = {
  ...threeWays("fal-ai/fast-sdxl", xl, { picture: fitting }),
  ...unguided(threeWays("fal-ai/fast-lightning-sdxl", lightning, { picture: fitting })),
  ...threeWays("fal-ai/fast-turbo-diffusion", turbo, { outputs: withoutPrompt }),
  ...threeWays("fal-ai/fast-lcm-diffusion", consistency, { picture: fitting }),
  ...threeWays("fal-ai/stable-diffusion-v15", first),
  ...controlledWays,
  "fal-ai/lcm-sd15-i2i": consistencyFromPicture,
};

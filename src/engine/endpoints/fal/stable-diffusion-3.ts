// fal's endpoints of Stable Diffusion 3 and 3.5.
import type { EndpointInput } from "../declaration.ts";
import type { FalEndpoint } from "../fal-endpoint.ts";
import {
  checked,
  count,
  type Fields,
  guidance,
  outputFormat,
  promptExpansion,
  prompts,
  size,
  steps,
  strength,
} from "./fields.ts";

const ofThree: Fields = {
  ...prompts,
  ...promptExpansion,
  ...steps(28, 50),
  seed: {},
  ...guidance(5),
  sync_mode: {},
  ...count(4),
  ...checked,
};

const ofThreeAndAHalf: Fields = { seed: {}, sync_mode: {}, ...count(4), ...checked, ...outputFormat };

/** An object that needs weights of its own, which requests cannot bring here. */
const absent = (what: string): EndpointInput => ({ accepted: "object", refusal: `Not known here: leave ${what} out` });

export const stableDiffusion3: Record<string, FalEndpoint> = {
  "fal-ai/stable-diffusion-v3-medium": {
    pipeline: "text-to-image",
    inputs: { ...ofThree, ...size("square_hd") },
  },
  "fal-ai/stable-diffusion-v3-medium/image-to-image": {
    pipeline: "image-to-image",
    inputs: { image_url: {}, ...ofThree, image_size: {}, ...strength(0.9, 0.01) },
  },
  "fal-ai/stable-diffusion-v35-medium": {
    pipeline: "text-to-image",
    inputs: { ...prompts, ...size("landscape_4_3"), ...steps(40, 50), ...guidance(4.5), ...ofThreeAndAHalf },
  },
  "fal-ai/stable-diffusion-v35-large": {
    pipeline: "text-to-image",
    inputs: {
      ...prompts,
      ...size("landscape_4_3"),
      ...steps(28, 50),
      ...guidance(3.5),
      ...ofThreeAndAHalf,
      controlnet: absent("controlnet"),
      loras: {},
      ip_adapter: absent("ip_adapter"),
    },
  },
};

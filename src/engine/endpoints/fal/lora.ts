// fal's endpoints for any model of the Stable Diffusion family, with all that its libraries can be told.
import type { EndpointInput } from "../declaration.ts";
import type { FalEndpoint } from "../fal-endpoint.ts";
import { count, embeddings, type Fields, guidance, prompts, size, steps } from "./fields.ts";

/** Would change the picture, and is not known here. */
const unknown = (accepted: "string" | "boolean" | "list" | "object" | "number", value?: unknown): EndpointInput => ({
  accepted,
  ...(value !== undefined && { default: value }),
  refusal: "Not known here: leave it out",
});

/** Only says where to look for something else that is not given. */
const idle = (accepted: "string" | "boolean" | "integer", value?: unknown): EndpointInput => ({
  accepted,
  ...(value !== undefined && { default: value }),
});

const shared: Fields = {
  model_name: { names: "model", required: true, description: "The model: what this endpoint draws with, by its name." },
  unet_name: unknown("string"),
  variant: idle("string"),
  ...prompts,
  prompt_weighting: {},
  loras: {},
  ...embeddings,
  controlnets: unknown("list", []),
  controlnet_guess_mode: idle("boolean", false),
  ip_adapter: unknown("list", []),
  image_encoder_path: idle("string"),
  image_encoder_subfolder: idle("string"),
  image_encoder_weight_name: idle("string", "pytorch_model.bin"),
  ic_light_model_url: unknown("string"),
  ic_light_model_background_image_url: unknown("string"),
  ic_light_image_url: unknown("string"),
  seed: {},
  ...steps(30, 100),
  ...guidance(7.5),
  clip_skip: {},
  scheduler: {},
  timesteps: unknown("object", { method: "default", array: [] }),
  sigmas: unknown("object", { method: "default", array: [] }),
  image_format: { input: "output_format", values: ["jpeg", "png"], default: "png" },
  prediction_type: {},
  rescale_betas_snr_zero: {},
  eta: {},
  ...count(8),
  enable_safety_checker: { default: false },
  tile_width: idle("integer", 4096),
  tile_height: idle("integer", 4096),
  tile_stride_width: idle("integer", 2048),
  tile_stride_height: idle("integer", 2048),
  debug_latents: unknown("boolean", false),
  debug_per_pass_latents: unknown("boolean", false),
};

const outputs = { images: {}, seed: {}, has_nsfw_concepts: {} };
const strength: EndpointInput = { input: "strength", default: 0.5 };

export const lora: Record<string, FalEndpoint> = {
  "fal-ai/lora": { pipeline: "text-to-image", inputs: { ...shared, ...size("square_hd") }, outputs },
  "fal-ai/lora/image-to-image": {
    pipeline: "image-to-image",
    inputs: { ...shared, image_url: {}, noise_strength: strength },
    outputs,
  },
  "fal-ai/lora/inpaint": {
    pipeline: "inpaint",
    inputs: { ...shared, image_url: {}, mask_url: {}, noise_strength: strength },
    outputs,
  },
};

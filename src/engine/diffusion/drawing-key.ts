// Which drawings can be made in one run of the denoiser: equal in all that the run is given but the prompts and the seed.
import type { DrawingInput } from "./drawing-fields.ts";
import { samplerChanges } from "./sampler-fields.ts";

type Pictures = { image_url?: unknown; image_urls?: unknown; control_image_url?: unknown };

/** Undefined for a drawing that begins with a picture: it is for itself. */
export function drawingKey(input: DrawingInput & { image_size?: unknown } & Pictures): string | undefined {
  if (input.image_url !== undefined || input.image_urls !== undefined) return undefined;
  if (input.control_image_url !== undefined) return undefined;
  const { image_size, num_inference_steps, guidance_scale, num_images, loras } = input;
  return JSON.stringify([image_size, num_inference_steps, guidance_scale, samplerChanges(input), num_images, loras]);
}

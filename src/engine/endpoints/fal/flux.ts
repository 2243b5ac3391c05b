// fal's endpoints of FLUX.1 and FLUX.2 klein.
import type { FalEndpoint } from "../fal-endpoint.ts";
import {
  acceleration,
  checked,
  count,
  type Fields,
  guidance,
  outputFormat,
  promptOnly,
  prompts,
  size,
  steps,
  strength,
} from "./fields.ts";

const drawing: Fields = {
  seed: {},
  ...guidance(3.5, 1),
  sync_mode: {},
  ...count(4),
  ...checked,
  ...outputFormat,
  ...acceleration("none"),
};

const schnell: FalEndpoint = {
  pipeline: "text-to-image",
  inputs: { ...promptOnly, ...size("landscape_4_3"), ...steps(4, 12), ...drawing },
};

const dev: FalEndpoint = {
  pipeline: "text-to-image",
  inputs: { ...promptOnly, ...size("landscape_4_3"), ...steps(28, 50), ...drawing },
};

const devFromPicture: FalEndpoint = {
  pipeline: "image-to-image",
  inputs: { image_url: {}, ...strength(0.95, 0.01), ...steps(40, 50, 10), ...promptOnly, ...drawing },
};

/** dev with LoRAs: from a prompt, from a picture, and a part of a picture. */
const adapted: Fields = {
  ...promptOnly,
  ...steps(28, 50),
  seed: {},
  loras: {},
  ...guidance(3.5, 0, 35),
  sync_mode: {},
  ...count(4),
  ...checked,
  ...outputFormat,
  ...acceleration("none", ["none", "regular"]),
};
const adaptedFromPicture: Fields = { ...adapted, image_size: {}, image_url: {}, ...strength(0.85, 0.01) };

const threeAdapted: Record<string, FalEndpoint> = {
  "fal-ai/flux-lora": { pipeline: "text-to-image", inputs: { ...adapted, ...size("landscape_4_3") } },
  "fal-ai/flux-lora/image-to-image": { pipeline: "image-to-image", inputs: adaptedFromPicture },
  "fal-ai/flux-lora/inpainting": { pipeline: "inpaint", inputs: { ...adaptedFromPicture, mask_url: {} } },
};

const ofKlein: Fields = {
  seed: {},
  ...count(4),
  sync_mode: {},
  ...checked,
  output_format: { values: ["jpeg", "png", "webp"], default: "png" },
};
const distilled: Fields = { ...promptOnly, ...steps(4, 8, 4), ...ofKlein };
const undistilled: Fields = {
  ...prompts,
  ...steps(28, 50, 4),
  ...guidance(5),
  ...ofKlein,
  ...acceleration("regular"),
};

/** A model's two endpoints, drawing and editing, and both with LoRAs. */
function fourWays(id: string, inputs: Fields): Record<string, FalEndpoint> {
  const drawing: FalEndpoint = { pipeline: "text-to-image", inputs: { ...inputs, ...size("landscape_4_3") } };
  const editing: FalEndpoint = { pipeline: "edit-image", inputs: { ...inputs, image_urls: {}, image_size: {} } };
  const withLoras = (endpoint: FalEndpoint): FalEndpoint => ({
    ...endpoint,
    inputs: { ...endpoint.inputs, loras: {} },
  });
  return {
    [id]: drawing,
    [`${id}/lora`]: withLoras(drawing),
    [`${id}/edit`]: editing,
    [`${id}/edit/lora`]: withLoras(editing),
  };
}

export const flux: Record<string, FalEndpoint> = {
  "fal-ai/flux/schnell": schnell,
  "fal-ai/flux-1/schnell": schnell,
  "fal-ai/flux/dev": dev,
  "fal-ai/flux-1/dev": dev,
  "fal-ai/flux/dev/image-to-image": devFromPicture,
  "fal-ai/flux-1/dev/image-to-image": devFromPicture,
  ...threeAdapted,
  ...fourWays("fal-ai/flux-2/klein/4b", distilled),
  ...fourWays("fal-ai/flux-2/klein/9b", distilled),
  ...fourWays("fal-ai/flux-2/klein/4b/base", undistilled),
  ...fourWays("fal-ai/flux-2/klein/9b/base", undistilled),
};

// fal's endpoints of FLUX.1 and FLUX.2 klein.
import type { FalEndpoint } from "../fal.ts";
import {
  acceleration,
  checked,
  count,
  type Fields,
  guidance,
  outputFormat,
  promptOnly,
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
  ...acceleration,
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

const ofKlein: Fields = {
  seed: {},
  ...steps(4, 8, 4),
  ...count(4),
  sync_mode: {},
  ...checked,
  output_format: { values: ["jpeg", "png", "webp"], default: "png" },
};

const klein: FalEndpoint = {
  pipeline: "text-to-image",
  inputs: { ...promptOnly, ...size("landscape_4_3"), ...ofKlein },
};

const kleinEdit: FalEndpoint = {
  pipeline: "edit-image",
  inputs: { ...promptOnly, image_urls: {}, image_size: {}, ...ofKlein },
};

export const flux: Record<string, FalEndpoint> = {
  "fal-ai/flux/schnell": schnell,
  "fal-ai/flux-1/schnell": schnell,
  "fal-ai/flux/dev": dev,
  "fal-ai/flux-1/dev": dev,
  "fal-ai/flux/dev/image-to-image": devFromPicture,
  "fal-ai/flux-1/dev/image-to-image": devFromPicture,
  "fal-ai/flux-2/klein/4b": klein,
  "fal-ai/flux-2/klein/9b": klein,
  "fal-ai/flux-2/klein/4b/edit": kleinEdit,
  "fal-ai/flux-2/klein/9b/edit": kleinEdit,
};

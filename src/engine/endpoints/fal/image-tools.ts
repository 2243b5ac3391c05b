// fal's endpoints that work on a picture: background removal, segmentation, depths and poses, erasing and enlarging.
import type { FalEndpoint } from "../fal-endpoint.ts";
import type { Fields } from "./fields.ts";

const picture: Fields = { image_url: {} };

const birefnet: Fields = {
  ...picture,
  model: {},
  operating_resolution: { values: ["1024x1024", "2048x2048"] },
  output_format: {},
  output_mask: {},
  refine_foreground: {},
  sync_mode: {},
};

const esrgan: FalEndpoint = {
  pipeline: "upscale",
  inputs: {
    ...picture,
    scale: { default: 2, minimum: 1, maximum: 8 },
    tile: {},
    face: { accepted: "boolean", default: false, refusal: "Faces are not restored here: send false" },
    model: {},
    output_format: { values: ["png", "jpeg"], default: "png" },
  },
  outputs: { image: {} },
};

const auraSr: FalEndpoint = {
  pipeline: "upscale",
  inputs: {
    ...picture,
    upscale_factor: { input: "scale", values: [4], default: 4 },
    overlapping_tiles: { accepted: "boolean", default: false, description: "Tiles overlap in any case." },
    checkpoint: {
      accepted: "string",
      values: ["v1", "v2"],
      default: "v1",
      refusal: "This model has other weights than AuraSR's: send v1",
    },
  },
  outputs: { image: {}, timings: {} },
};

const sam2: FalEndpoint = {
  pipeline: "segment-image",
  inputs: { ...picture, prompts: {}, box_prompts: {}, apply_mask: {}, output_format: {}, sync_mode: {} },
  outputs: { image: {} },
};

const autoSegment: FalEndpoint = {
  pipeline: "segment-all",
  inputs: {
    ...picture,
    points_per_side: {},
    pred_iou_thresh: {},
    stability_score_thresh: {},
    min_mask_region_area: {},
    output_format: {},
    sync_mode: {},
  },
  outputs: { combined_mask: {}, individual_masks: {} },
};

/** MiDaS' two settings are of normals alone. */
const depth: FalEndpoint = {
  pipeline: "estimate-depth",
  inputs: {
    ...picture,
    a: { accepted: "number", default: 2 * Math.PI },
    bg_th: { accepted: "number", default: 0.1 },
    depth_and_normal: { accepted: "boolean", default: false, refusal: "Normals are not drawn here: send false" },
  },
  outputs: { image: {} },
};

const masked: Fields = { ...picture, mask_url: { required: true } };

const bria: FalEndpoint = {
  pipeline: "erase",
  inputs: {
    ...masked,
    mask_type: {
      ...{ accepted: "string", values: ["manual", "automatic"], default: "manual" },
      description: "Both are taken as they are.",
    },
    preserve_alpha: {},
    sync_mode: {},
  },
  outputs: { image: {} },
};

/** Ways to say what to take away, under one endpoint each. */
const objectRemoval = (shown: Fields): FalEndpoint => ({
  pipeline: "erase",
  inputs: {
    ...shown,
    model: {
      accepted: "string",
      values: ["low_quality", "medium_quality", "high_quality", "best_quality"],
      default: "best_quality",
      description: "This model has one quality.",
    },
    mask_expansion: { default: 15, maximum: 50 },
  },
  outputs: { images: {} },
});

export const imageTools: Record<string, FalEndpoint> = {
  "fal-ai/birefnet": { pipeline: "remove-background", inputs: birefnet },
  "fal-ai/birefnet/v2": {
    pipeline: "remove-background",
    inputs: { ...birefnet, operating_resolution: {}, mask_only: {} },
  },
  "fal-ai/imageutils/rembg": {
    pipeline: "remove-background",
    inputs: { ...picture, crop_to_bbox: {}, sync_mode: {} },
    outputs: { image: {} },
  },
  "fal-ai/sam2/image": sam2,
  "fal-ai/sam2/auto-segment": autoSegment,
  "fal-ai/imageutils/nsfw": {
    pipeline: "check-image",
    inputs: { image_url: { required: true } },
    outputs: { nsfw_probability: {} },
  },
  "fal-ai/x-ailab/nsfw": {
    pipeline: "check-image",
    inputs: { image_urls: { required: true } },
    outputs: { has_nsfw_concepts: {} },
  },
  "fal-ai/imageutils/depth": depth,
  "fal-ai/image-preprocessors/depth-anything/v2": {
    pipeline: "estimate-depth",
    inputs: picture,
    outputs: { image: {} },
  },
  "fal-ai/dwpose": { pipeline: "estimate-pose", inputs: { ...picture, draw_mode: {} }, outputs: { image: {} } },
  "fal-ai/bria/eraser": bria,
  "fal-ai/object-removal/mask": objectRemoval(masked),
  "fal-ai/object-removal/bbox": objectRemoval({ ...picture, box_prompts: {} }),
  "fal-ai/esrgan": esrgan,
  "fal-ai/aura-sr": auraSr,
};

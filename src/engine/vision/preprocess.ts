// Makes of a picture what a vision model expects, as its preprocessor_config.json says (transformers' image processors).
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels, ResizeOptions } from "../../core/pipeline.ts";
import { crop } from "../tensor/crop.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";

type Edge = number | { shortest_edge: number } | { height: number; width: number };

/** The fields that are read; absent ones mean what CLIPImageProcessor's defaults mean, but that others do not crop. */
export type PreprocessorConfig = {
  image_processor_type?: string;
  feature_extractor_type?: string;
  do_resize?: boolean;
  size?: Edge;
  /** Pillow's number of the kernel. */
  resample?: number;
  do_center_crop?: boolean;
  crop_size?: number | { height: number; width: number };
  do_rescale?: boolean;
  rescale_factor?: number;
  do_normalize?: boolean;
  image_mean?: number[];
  image_std?: number[];
};

export type Preprocessed = {
  /** [3, height, width] */
  planes: Float32Array;
  width: number;
  height: number;
};

/** OpenAI's CLIP, as in CLIPImageProcessor. */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_DEVIATION = [0.26862954, 0.26130258, 0.27577711];

export function preprocess(pixels: Pixels, config: PreprocessorConfig): Preprocessed {
  const { do_resize = true, do_center_crop = crops(config), do_rescale = true, do_normalize = true } = config;
  const resized = do_resize ? resizeTo(pixels, config) : pixels;
  const cropped = do_center_crop ? centerCrop(resized, squareOf(config.crop_size ?? 224)) : resized;
  const planes = pixelsToPlanes(cropped, {
    scale: do_rescale ? (config.rescale_factor ?? 1 / 255) : 1,
    mean: do_normalize ? (config.image_mean ?? CLIP_MEAN) : [0, 0, 0],
    deviation: do_normalize ? (config.image_std ?? CLIP_DEVIATION) : [1, 1, 1],
  });
  return { planes, width: cropped.width, height: cropped.height };
}

/** CLIP's processors crop; SigLIP's and ViT's have no such step. */
function crops({ image_processor_type: type, feature_extractor_type: older, crop_size }: PreprocessorConfig): boolean {
  return crop_size !== undefined || /clip/i.test((type ?? older ?? "CLIP").replace(/^siglip/i, ""));
}

const KERNELS: Record<number, ResizeOptions["kernel"]> = { 0: "nearest", 1: "lanczos3", 2: "bilinear", 3: "bicubic" };

function resizeTo(pixels: Pixels, { size = { shortest_edge: 224 }, resample = 3 }: PreprocessorConfig): Pixels {
  const kernel = KERNELS[resample];
  if (!kernel)
    throw new ForecourtError("misconfigured", `preprocessor_config.json: resample = ${resample} is not supported`);
  return resize(pixels, { ...resizedSize(pixels, size), kernel });
}

/** The longer edge is cut down to whole pixels, as in transformers. */
function resizedSize({ width, height }: Pixels, size: Edge): { width: number; height: number } {
  if (typeof size === "object" && "width" in size) return { width: size.width, height: size.height };
  const short = typeof size === "number" ? size : size.shortest_edge;
  const long = Math.floor((short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

const squareOf = (size: number | { height: number; width: number }) =>
  typeof size === "number" ? { width: size, height: size } : size;

/** The middle of a picture; black where the picture is smaller than the crop. */
function centerCrop(pixels: Pixels, { width, height }: { width: number; height: number }): Pixels {
  const left = Math.floor((pixels.width - width) / 2);
  return crop(pixels, { left, top: Math.floor((pixels.height - height) / 2), width, height });
}

// Makes of a picture what a vision model expects, as its preprocessor_config.json says (transformers' image processors).
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels, ResizeOptions } from "../../core/pipeline.ts";
import type { Pause } from "../pause.ts";
import { crop } from "../tensor/crop.ts";
import { pixelsToPlanes } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";
import { resizedSize, type SizeConfig } from "./resized-size.ts";

/** The fields that are read; absent ones mean what CLIPImageProcessor's defaults mean, but that others do not crop. */
export type PreprocessorConfig = SizeConfig & {
  image_processor_type?: string;
  feature_extractor_type?: string;
  do_resize?: boolean;
  /** Pillow's number of the kernel. */
  resample?: number;
  do_center_crop?: boolean;
  crop_size?: number | { height: number; width: number };
  do_rescale?: boolean;
  rescale_factor?: number;
  do_normalize?: boolean;
  image_mean?: number[];
  image_std?: number[];
  /** MobileViT's: blue first. */
  do_flip_channel_order?: boolean;
  /** ConvNeXT's: how much of the resized picture is kept. */
  crop_pct?: number;
};

/** What a model sees, as a picture still. */
export type Seen = {
  pixels: Pixels;
  /** Where the whole picture lies in it; beyond its edges where these are cut away. */
  content: { left: number; top: number; width: number; height: number };
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

export async function preprocess(pixels: Pixels, config: PreprocessorConfig): Promise<Preprocessed> {
  const { pixels: seen } = await look(pixels, config);
  return { planes: planesOf(seen, config), width: seen.width, height: seen.height };
}

/** The picture resized and cropped. */
export async function look(pixels: Pixels, given: PreprocessorConfig, pause?: Pause): Promise<Seen> {
  const config = withCropShare(given);
  const { do_resize = true, do_center_crop = crops(config) } = config;
  const resized = do_resize ? await resizeTo(pixels, config, pause) : pixels;
  const { width, height } = resized;
  if (!do_center_crop) return { pixels: resized, content: { left: 0, top: 0, width, height } };
  const size = squareOf(config.crop_size ?? 224);
  const [left, top] = [Math.floor((width - size.width) / 2), Math.floor((height - size.height) / 2)];
  // Black where the picture is smaller than the crop.
  return { pixels: crop(resized, { left, top, ...size }), content: { left: -left, top: -top, width, height } };
}

/** Its values as the model expects them: [3, height, width]. */
export function planesOf(pixels: Pixels, config: PreprocessorConfig): Float32Array {
  const { do_rescale = true, do_normalize = true, do_flip_channel_order: blueFirst = false } = config;
  const planes = pixelsToPlanes(pixels, {
    scale: do_rescale ? (config.rescale_factor ?? 1 / 255) : 1,
    mean: do_normalize ? (config.image_mean ?? CLIP_MEAN) : [0, 0, 0],
    deviation: do_normalize ? (config.image_std ?? CLIP_DEVIATION) : [1, 1, 1],
  });
  const area = pixels.width * pixels.height;
  return blueFirst
    ? Float32Array.from(planes, (_, i) => planes[(2 - Math.floor(i / area)) * area + (i % area)] ?? 0)
    : planes;
}

/** Below this edge ConvNeXT's pictures are resized larger and cropped; from it on they are stretched. */
const STRETCHED_FROM = 384;

function withCropShare(config: PreprocessorConfig): PreprocessorConfig {
  const { crop_pct: share, size } = config;
  const edge = typeof size === "object" && "shortest_edge" in size ? size.shortest_edge : undefined;
  if (share === undefined || edge === undefined) return config;
  if (edge >= STRETCHED_FROM) return { ...config, size: { width: edge, height: edge }, do_center_crop: false };
  return { ...config, size: { shortest_edge: Math.floor(edge / share) }, do_center_crop: true, crop_size: edge };
}

/** CLIP's processors crop; SigLIP's and ViT's have no such step. */
function crops({ image_processor_type: type, feature_extractor_type: older, crop_size }: PreprocessorConfig): boolean {
  return crop_size !== undefined || /clip/i.test((type ?? older ?? "CLIP").replace(/^siglip/i, ""));
}

const KERNELS: Record<number, ResizeOptions["kernel"]> = { 0: "nearest", 1: "lanczos3", 2: "bilinear", 3: "bicubic" };

async function resizeTo(pixels: Pixels, config: PreprocessorConfig, pause?: Pause): Promise<Pixels> {
  const { resample = 3 } = config;
  const kernel = KERNELS[resample];
  if (!kernel)
    throw new ForecourtError("misconfigured", `preprocessor_config.json: resample = ${resample} is not supported`);
  return await resize(pixels, { ...resizedSize(pixels, config), kernel, ...(pause && { pause }) });
}

const squareOf = (size: number | { height: number; width: number }) =>
  typeof size === "number" ? { width: size, height: size } : size;

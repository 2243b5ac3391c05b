// Qwen2-VL and Qwen2.5-VL: a picture keeps its shape, its patches become vectors in rows and columns. As transformers'
// Qwen2VLImageProcessor.
import { ForecourtError } from "../../core/errors.ts";
import { resize } from "../tensor/resize.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { type PreprocessorConfig, planesOf } from "../vision/preprocess.ts";
import { roundHalfToEven } from "../vision/resized-size.ts";
import type { Look, Sight, SightParts } from "./look.ts";
import { floatsFor, seen } from "./tower.ts";

type Size = { width: number; height: number };

type Pictures = Omit<PreprocessorConfig, "size"> & {
  /** Squares of edges, in fact: fewest and most pixels. Older files have the other names. */
  size?: { shortest_edge?: number; longest_edge?: number };
  min_pixels?: number;
  max_pixels?: number;
  patch_size?: number;
  temporal_patch_size?: number;
  merge_size?: number;
};

const MARK = "<|image_pad|>";
/** Qwen2VLImageProcessor's defaults, in vectors; files allow up to 16,384, whose attention takes hundreds of gigabytes. */
const [FEWEST_VECTORS, MOST_VECTORS] = [4, 1280];
/** What OpenAI looks at with low detail. */
const LOW_PIXELS = 512 * 512;
/** Of the longer edge to the shorter one. */
const MOST_RATIO = 200;

export async function qwen2Vl({ assets, tower }: SightParts): Promise<Sight> {
  const given = await assets.json<Pictures>("preprocessor_config.json");
  const { patch_size: patch = 14, temporal_patch_size: times = 2, merge_size: merge = 2 } = given;
  const factor = patch * merge;
  const fewest = given.min_pixels ?? given.size?.shortest_edge ?? FEWEST_VECTORS * factor ** 2;
  const allowed = given.max_pixels ?? given.size?.longest_edge ?? MOST_VECTORS * factor ** 2;
  const most = Math.max(fewest, Math.min(allowed, MOST_VECTORS * factor ** 2));
  const { size: _, ...values }: Pictures = given;

  return {
    mark: MARK,
    async look(pixels, detail, pause): Promise<Look> {
      const bound = detail === "low" ? Math.max(fewest, Math.min(most, LOW_PIXELS)) : most;
      const size = fittedSize(pixels, { factor, fewest, most: bound });
      const fitted = await resize(pixels, { ...size, kernel: "bicubic", pause });
      const [high, wide] = [fitted.height / patch, fitted.width / patch];
      const [rows, columns] = [high / merge, wide / merge];
      const vectors = rows * columns;
      const piece = async () => {
        const patches = patchesOf(fitted, planesOf(fitted, values), { patch, times, merge });
        const feeds = {
          pixel_values: floatsFor(tower, [high * wide, 3 * times * patch ** 2], patches),
          image_grid_thw: tensorOf("int64", [1, 3], [1, high, wide]),
        };
        return await seen(tower, feeds, vectors);
      };
      return { text: MARK.repeat(vectors), vectors, grid: { rows, columns }, pieces: [piece] };
    },
  };
}

type Bounds = {
  /** Both edges become multiples. */
  factor: number;
  /** Pixels. */
  fewest: number;
  most: number;
};

/** The picture's shape as nearly as it can be kept. Throws `invalid_input` for a strip. */
export function fittedSize({ width, height }: Size, { factor, fewest, most }: Bounds): Size {
  if (Math.max(width, height) / Math.min(width, height) > MOST_RATIO)
    throw new ForecourtError("invalid_input", `The picture's longer edge is more than ${MOST_RATIO} times the other`);
  const near = (edge: number) => roundHalfToEven(edge / factor) * factor;
  const area = near(width) * near(height);
  if (area > most) {
    const shrink = Math.sqrt((height * width) / most);
    const down = (edge: number) => Math.max(factor, Math.floor(edge / shrink / factor) * factor);
    return { width: down(width), height: down(height) };
  }
  if (area < fewest) {
    const grow = Math.sqrt(fewest / (height * width));
    const up = (edge: number) => Math.ceil((edge * grow) / factor) * factor;
    return { width: up(width), height: up(height) };
  }
  return { width: near(width), height: near(height) };
}

type Cut = { patch: number; times: number; merge: number };

/**
 * [patches, 3 · times · patch · patch]: patches that are merged lie side by side, and a picture is every one of `times`
 * pictures of a film.
 */
function patchesOf({ width, height }: Size, planes: Float32Array, { patch, times, merge }: Cut): Float32Array {
  const area = width * height;
  const patches = new Float32Array(planes.length * times);
  let at = 0;
  for (let i = 0; i < area / patch ** 2; i++) {
    const [block, inner] = [Math.floor(i / merge ** 2), i % merge ** 2];
    const across = width / patch / merge;
    const top = (Math.floor(block / across) * merge + Math.floor(inner / merge)) * patch;
    const left = ((block % across) * merge + (inner % merge)) * patch;
    for (let plane = 0; plane < 3; plane++)
      for (let time = 0; time < times; time++)
        for (let y = 0; y < patch; y++) {
          const from = plane * area + (top + y) * width + left;
          patches.set(planes.subarray(from, from + patch), at);
          at += patch;
        }
  }
  return patches;
}

// Where a run begins: at noise, at a given picture, or at a picture of which a mask shows what to redraw.
import type { Sampler } from "../samplers/sampler.ts";
import type { Random } from "../tensor/random.ts";
import type { Start } from "./denoise.ts";
import type { Size } from "./image-size.ts";
import type { LatentEncoder } from "./latent-encoder.ts";
import type { LatentShape } from "./noise-predictor.ts";

type Run = { sampler: Sampler; random: Random; shape: LatentShape };

export function startAtNoise({ sampler, random, shape }: Run): Start {
  return { sample: atFullNoise(sampler, random.normal(sizeOf(shape))), from: 0 };
}

type FromPicture = Run & {
  encoder: LatentEncoder;
  /** Place in the sampler's timesteps of the first step. */
  from: number;
  /** In pixels. */
  size: Size;
  /** RGB in [-1, 1] of that size. */
  planes: Float32Array;
};

/** Numbers are drawn in diffusers' order: for the picture's latents, then for the noise on them. */
export async function startAtPicture(given: FromPicture & { previous?: Previous | undefined }): Promise<Start> {
  const { previous } = given;
  const clean = await latentsOf(given.planes, given);
  return startAtLatents({ ...given, clean: previous ? mixed(clean, previous) : clean });
}

/** Clean latents of an earlier run, and how much of them to begin with, from 0 to 1. */
export type Previous = { latents: Float32Array; share: number };

export function startAtLatents({
  sampler,
  random,
  shape,
  from,
  clean,
}: Run & { from: number; clean: Float32Array }): Start {
  const noise = random.normal(sizeOf(shape));
  return { sample: sampler.noisy({ clean, noise, index: from }), from };
}

const mixed = (clean: Float32Array, { latents, share }: Previous) =>
  clean.map((value, i) => value + share * ((latents[i] ?? 0) - value));

type FromMask = FromPicture & {
  /** For each pixel whether to redraw it. */
  mask: Uint8Array;
  /** The model was trained to redraw: it is shown the mask and the rest of the picture. Else the rest is put back. */
  seesMask: boolean;
  /** Nothing of the picture is to shine through where it is redrawn. */
  isFull: boolean;
};

/** diffusers' order again: the picture's latents (where they are needed), the noise, the latents of what is kept. */
export async function startAtMask(given: FromMask): Promise<Start> {
  const { sampler, random, shape, encoder, from, size, mask, seesMask, isFull } = given;
  const needsClean = !seesMask || !isFull;
  const clean = needsClean ? await latentsOf(given.planes, given) : undefined;
  const noise = random.normal(sizeOf(shape));
  const sample = clean && !isFull ? sampler.noisy({ clean, noise, index: from }) : atFullNoise(sampler, noise);
  const redraw = maskOfLatents(mask, { size, shape });
  if (seesMask) {
    const kept = await latentsOf(withoutMasked(given.planes, mask), given);
    return { sample, from, besides: { data: withMask(redraw, kept, shape[0]), pictures: shape[0] } };
  }
  if (encoder.drawsNoise) for (const part of random.parts ?? [random]) part.normal(sizeOf(shape) / shape[0]);
  const after: Start["after"] = (latents, next) => {
    if (!clean) return latents;
    const rest = next < sampler.timesteps.length ? sampler.noisy({ clean, noise, index: next }) : clean;
    return latents.map((value, i) => ((redraw[i % redraw.length] ?? 0) > 0 ? value : (rest[i] ?? 0)));
  };
  return { sample, from, after };
}

const sizeOf = (shape: LatentShape) => shape.reduce((product, each) => product * each, 1);

const atFullNoise = (sampler: Sampler, noise: Float32Array) => noise.map((value) => value * sampler.initNoiseSigma);

function repeated(one: Float32Array, count: number): Float32Array {
  const all = new Float32Array(one.length * count);
  for (let i = 0; i < count; i++) all.set(one, i * one.length);
  return all;
}

/** A sample of the picture's latents for each row: one of its own where each has a random of its own, else the same. */
async function latentsOf(planes: Float32Array, { encoder, shape, size, random }: FromPicture): Promise<Float32Array> {
  if (!random.parts) return repeated(await encoder.encode(planes, { size, random }), shape[0]);
  const all = new Float32Array(sizeOf(shape));
  for (const [row, part] of random.parts.entries()) {
    all.set(await encoder.encode(planes, { size, random: part }), (row * all.length) / shape[0]);
  }
  return all;
}

/** For each row the mask, then its latents. */
function withMask(mask: Float32Array, latents: Float32Array, rows: number): Float32Array {
  const size = latents.length / rows;
  const all = new Float32Array(rows * (mask.length + size));
  for (let row = 0; row < rows; row++) {
    const at = row * (mask.length + size);
    all.set(mask, at);
    all.set(latents.subarray(row * size, (row + 1) * size), at + mask.length);
  }
  return all;
}

/** Of each latent the pixel in its upper left corner, as torch's nearest interpolation picks it. */
function maskOfLatents(mask: Uint8Array, { size, shape }: { size: Size; shape: LatentShape }): Float32Array {
  const [, , height, width] = shape;
  return Float32Array.from({ length: height * width }, (_, i) => {
    const y = Math.floor((Math.floor(i / width) * size.height) / height);
    const x = Math.floor(((i % width) * size.width) / width);
    return mask[y * size.width + x] ?? 0;
  });
}

/** Grey where the picture is to be redrawn. */
const withoutMasked = (planes: Float32Array, mask: Uint8Array) =>
  planes.map((value, i) => (mask[i % mask.length] ? 0 : value));

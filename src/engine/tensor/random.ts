// Gaussian noise from a seed, number for number what PyTorch's CPU generator gives, so that seeds mean the same picture.
import { createMt19937 } from "./mt19937.ts";

export type Random = {
  /**
   * `count` samples of N(0, 1), as `torch.randn(count, generator)`; each call goes on where the last one ended.
   * Up to the last bits: PyTorch's vectorised logarithm and sine are approximations.
   */
  normal(count: number): Float32Array;
  /** Where it is several put together: each of them, see `joinedRandom`. */
  parts?: readonly Random[];
};

/** Seeds are what JSON carries exactly; as in PyTorch their lowest 32 bits decide. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** From this many samples on PyTorch fills blocks of 16; below, it draws one double at a time. */
const BLOCK = 16;

/** `seed` is an integer in 0..MAX_SEED. */
export function createRandom(seed: number): Random {
  const next = createMt19937(seed);
  const nextNormal = normalDoubles(next);
  return {
    normal: (count) => (count < BLOCK ? Float32Array.from({ length: count }, nextNormal) : normalBlocks(next, count)),
  };
}

/**
 * Of picture `at` of a call, the first one being drawn from `seed`: each has a seed of its own, as diffusers' pipelines
 * with a list of generators have, so that one of them can be drawn again alone.
 */
export const seedOfPicture = (seed: number, at: number) => (seed % 2 ** 32) + at;

/** Equal parts of each call from each: several pictures with seeds of their own, made as one. */
export const joinedRandom = (parts: readonly Random[]): Random => ({
  parts,
  normal(count) {
    const all = new Float32Array(count);
    const each = count / parts.length;
    for (const [at, part] of parts.entries()) all.set(part.normal(each), at * each);
    return all;
  },
});

/** ATen/native/cpu/DistributionTemplates.h `normal_fill`: when 16 does not divide the count, the last 16 are redrawn. */
function normalBlocks(next: () => number, count: number): Float32Array {
  const samples = new Float32Array(count);
  fillUniform(next, samples);
  for (let at = 0; at + BLOCK <= count; at += BLOCK) boxMuller(samples.subarray(at, at + BLOCK));
  if (count % BLOCK !== 0) {
    const last = samples.subarray(count - BLOCK);
    fillUniform(next, last);
    boxMuller(last);
  }
  return samples;
}

/** Uniform in [0, 1) with 24 random bits each. */
function fillUniform(next: () => number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (next() & 0xffffff) * 2 ** -24;
}

/** Sixteen uniform samples become sixteen normal ones: radii from the first half, angles from the second. */
function boxMuller(block: Float32Array): void {
  const half = BLOCK / 2;
  for (let i = 0; i < half; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (block[i] ?? 0)));
    const angle = 2 * Math.PI * (block[i + half] ?? 0);
    block[i] = radius * Math.cos(angle);
    block[i + half] = radius * Math.sin(angle);
  }
}

/** ATen/core/DistributionsHelper.h `normal_distribution<double>`: samples come in pairs, the second is kept for later. */
function normalDoubles(next: () => number): () => number {
  let kept: number | undefined;
  return () => {
    if (kept !== undefined) {
      const sample = kept;
      kept = undefined;
      return sample;
    }
    const angle = 2 * Math.PI * uniform53(next);
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53(next)));
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Uniform in [0, 1) with 53 random bits: 21 of the first word, 32 of the second. */
export function uniform53(next: () => number): number {
  const high = next() & 0x1fffff;
  return (high * 2 ** 32 + next()) * 2 ** -53;
}
